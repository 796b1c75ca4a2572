"""Breaks every promise of the architecture page on purpose, in a scratch copy, and demands that its test fails.

`python -m tests.promises` tries all of them; words after it choose the promises whose sentence, file or test contains one.
`python -m tests.promises --write` writes the tables of docs/architecture.md instead.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.promises.scratch import Outcome, ScratchCopy
from tests.promises.table import Promise, read_promises, write_page

AT_ONCE = 2
"""Promises that are tried at the same time, each in a scratch copy of its own."""


def main(words: Sequence[str]) -> int:
    """Try the promises and print a line for each; returns 1 if a test passed although its promise was broken."""
    if words == ["--write"]:
        write_page()
        return 0
    promises = [each for each in read_promises() if not words or _mentions(each, words)]
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="promises-") as folder:
        survivors = _try_all(Path(folder), promises)
    print(
        f"{len(promises) - survivors} of {len(promises)} tests fail when their promise is broken ({time.monotonic() - started:.0f} s)"
    )
    return int(survivors > 0 or not promises)


def _mentions(promise: Promise, words: Sequence[str]) -> bool:
    return any(word in text for word in words for text in (promise.sentence, promise.file, promise.test))


def _try_all(folder: Path, promises: Sequence[Promise]) -> int:
    """Run all tests unbroken, then each with its promise broken; returns the number of promises that no test kept."""
    copies = [ScratchCopy(folder / str(number), folder / "shared") for number in range(AT_ONCE)]
    _ensure_copies_are_used(copies)
    nodes = list(dict.fromkeys(promise.test for promise in promises))
    print(f"running {len(nodes)} tests of {len(promises)} promises on unbroken code", flush=True)
    unbroken = copies[0].run_tests(nodes)
    if unbroken.kind != "passed":
        sys.exit(f"a test does not pass on unbroken code: {unbroken}")
    free: SimpleQueue[ScratchCopy] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def try_one(promise: Promise) -> tuple[Outcome, float]:
        copy, started = free.get(), time.monotonic()
        try:
            with copy.broken(promise):
                return copy.run_tests([promise.test]), time.monotonic() - started
        finally:
            free.put(copy)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        outcomes = threads.map(try_one, promises)
        return sum(
            _report(*each) for each in zip(range(1, len(promises) + 1), promises, outcomes, strict=True)
        )


def _ensure_copies_are_used(copies: Sequence[ScratchCopy]) -> None:
    """Exits unless Python imports every package from the copy: the packages that are installed would pass unbroken."""
    for copy in copies:
        found = copy.imported_from()
        if not found or not all(path.is_relative_to(copy.folder) for path in found):
            sys.exit(f"tests in {copy.folder} would import {[str(path) for path in found]}")


def _report(number: int, promise: Promise, outcome: tuple[Outcome, float]) -> bool:
    """Print what happened to a promise; returns whether it survived its break, or nothing was shown."""
    result, seconds = outcome
    verdict = {"failure": "kept", "passed": "NOT KEPT"}.get(result.kind, "NO VERDICT")
    print(f"{number:>3}  {verdict:<10} {seconds:>4.0f} s  {promise.sentence}", flush=True)
    if result.kind != "failure":
        print(
            f"     {promise.file}: {promise.bug}\n     {promise.test}: {result.kind}: {result.message}",
            flush=True,
        )
    return result.kind != "failure"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
