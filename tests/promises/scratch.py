"""A scratch copy of the repository in which promises are broken and tests are run, apart from the files that are edited."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path

from tests.promises.table import ROOT, Promise

LEFT_OUT = (".git", ".venv", "var", "build", "__pycache__", ".hypothesis", ".*_cache", "*.egg-info")
TIMEOUT = 600
"""Seconds after which a run of pytest is stopped; most take less than ten."""
NO_VERDICT = ("ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError", "NameError", "fixture")
"""How the message begins if the test did not judge the code: the break is not valid Python, or names what does not exist."""
PACKAGES = ("api", "auth", "cli", "datasets", "tests")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run of pytest ended: the first test that did not pass, if any, and what pytest says about it."""

    passed: int
    kind: str
    """`passed`, `failure` (a test's own verdict), `error` (no verdict: collection, a fixture, a timeout) or `skipped`."""
    message: str = ""


class ScratchCopy:
    """A copy of the repository in a folder. One process uses it at a time."""

    def __init__(self, folder: Path, shared: Path) -> None:
        """`shared` is the folder of the fixtures that all runs of pytest share."""
        self.folder, self._runs = folder / "tree", folder / "runs"
        self._env = {**os.environ, "PYTHONPATH": str(self.folder), "DAYLIGHT_TEST_SHARED": str(shared)}
        self._env.pop("PYTEST_ADDOPTS", None)
        shutil.copytree(ROOT, self.folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
        self._runs.mkdir()

    def imported_from(self) -> list[Path]:
        """The files that Python imports the packages from when it runs in this copy."""
        names = ", ".join(PACKAGES)
        program = f"import {names}; print(*(p.__file__ for p in ({names})), sep='\\n')"
        return [Path(line) for line in self._run("-c", program).stdout.splitlines()]

    @contextmanager
    def broken(self, promise: Promise) -> Iterator[None]:
        """Break a promise within the block. Raises ValueError if the text to replace does not occur exactly once."""
        path = self.folder / promise.file
        text = path.read_text("utf-8")
        if text.count(promise.old) != 1:
            raise ValueError(f"{promise.file}: the text to replace occurs {text.count(promise.old)} times")
        _write_module(path, text.replace(promise.old, promise.new))
        try:
            yield
        finally:
            _write_module(path, text)

    def run_tests(self, nodes: Sequence[str]) -> Outcome:
        """Run tests until the first one fails."""
        report, base = self._runs / "report.xml", self._runs / "base"
        report.unlink(missing_ok=True)
        options = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-profile=promises")
        try:
            run = self._run("-m", "pytest", *options, f"--basetemp={base}", f"--junitxml={report}", *nodes)
        except subprocess.TimeoutExpired:
            return Outcome(0, "error", f"no end after {TIMEOUT} s")
        if not report.exists():
            return Outcome(0, "error", run.stdout[-500:] + run.stderr[-500:])
        return outcome_of(report.read_text("utf-8"))

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, env=self._env, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )  # fmt: skip


def _write_module(path: Path, text: str) -> None:
    """Write a module and remove its compiled form, which Python takes for current if size and second have not changed."""
    path.write_text(text, "utf-8")
    Path(cache_from_source(str(path))).unlink(missing_ok=True)


def outcome_of(report: str) -> Outcome:
    """The outcome in a report of pytest in JUnit's format."""
    cases = list(ET.fromstring(report).iter("testcase"))
    passed = sum(len(case.findall("*")) == len(case.findall("properties")) for case in cases)
    for kind in ("failure", "error", "skipped"):
        for case in cases:
            if (found := case.find(kind)) is not None:
                message = found.get("message", "").strip()
                no_verdict = kind == "failure" and message.startswith(NO_VERDICT)
                return Outcome(passed, "error" if no_verdict else kind, message)
    return Outcome(passed, "passed") if passed else Outcome(0, "error", "no test was run")
