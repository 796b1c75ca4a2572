"""Before anybody sees a release: there is room for it, and a reader can open it and be answered."""

from __future__ import annotations

import shutil
from math import prod
from pathlib import Path

import pyarrow.parquet as pq

from datasets.build.budget import Budget
from datasets.build.failpoints import reached
from datasets.build.publication import point
from datasets.refusal import Refusal
from datasets.release import layout
from datasets.release.answer import Answer
from datasets.release.reader import Releases
from datasets.release.verification import Verify

_BESIDES = 64 << 20
"""Bytes for everything but cells: manifest, codebook, ledger, and the blocks in which a file system counts."""


class NoRoom(Refusal):
    """The disk has too little room for what a build would write; nothing was spent."""


class SelfTestFailed(Refusal):
    """A release that a reader could not use; it is not published."""


def bytes_needed(budget: Budget) -> int:
    """The most bytes that a release and the serving copy it is tried with take.

    It follows from the number of published cells alone, which the declaration and the calendar fix: each measure's
    value and standard error take 8 bytes, a code at most 4.
    """
    axes = next(iter(budget.measures.values())).axes
    sizes = (
        prod(axis.size(level) for axis, level in zip(axes, cuboid, strict=True)) for cuboid in budget.cuboids
    )
    width = 16 * len(budget.measures) + 4 * (1 + sum(axis.depth for axis in axes))
    return 2 * sum(sizes) * width + _BESIDES


def ensure_room(root: Path, budget: Budget) -> None:
    """Raises NoRoom where a release would not fit among the releases."""
    needed, free = bytes_needed(budget), shutil.disk_usage(root).free
    if free < needed:
        raise NoRoom(
            f"{budget.dataset.name} {budget.month} needs {_mib(needed)} among the releases and {_mib(free)} are free; "
            "make room and build again: nothing was spent"
        )


def ensure_readable(folder: Path, verify: Verify) -> None:
    """Open a staged release as a reader would, with signature, hashes, codebook and every cell, and ask it for its
    totals, which must be those in its file. Raises SelfTestFailed."""
    root, dataset, name = folder.parent.parent, folder.parent.name, folder.name
    point(layout.pointer_file(root, dataset, name.split(".", maxsplit=1)[0]), name)
    reached("self-test begun")
    releases = Releases(root, root / "cache", verify, (dataset,))
    try:
        if releases.degraded:
            raise SelfTestFailed(f"the release does not pass its own test: {releases.degraded[0]}")
        measures = [measure.name for measure in releases.current(dataset)[0].codebook.measures]
        answer = releases.ask(releases.question(dataset, [("measure", ",".join(measures))]))
        answered = _answered(answer, measures)
        if any(value != _stored(folder, measure) for measure, value in answered.items()):
            raise SelfTestFailed(
                f"the release does not pass its own test: {dataset} {name} answers other totals than its file holds"
            )
    finally:
        releases.close()
    reached("self-test passed")


def _answered(answer: Answer, measures: list[str]) -> dict[str, float]:
    """The total of each measure that was collected, as a question about everything is answered."""
    columns = {column.name: data[0] for column, data in zip(answer.columns, answer.data, strict=True)}
    return {m: float(columns[m]) for m in measures if columns[f"{m}_status"] != "L"}


def _stored(folder: Path, measure: str) -> float:
    """The total of a measure, as it stands in the released file."""
    table = pq.read_table(
        folder / layout.CELLS, columns=["cuboid", measure], filters=[("cuboid", "=", "total")]
    )
    return float(table[measure][0].as_py())


def _mib(size: int) -> str:
    return f"{size / (1 << 20):,.0f} MiB"
