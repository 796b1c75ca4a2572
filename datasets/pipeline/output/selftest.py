"""The self-test of a release before its publication: it can be opened and answers a question correctly."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow.parquet as pq

from datasets.pipeline.output.publication import write_pointer
from datasets.pipeline.state.disk_space import is_disk_full
from datasets.pipeline.state.failpoints import failpoint
from datasets.refusal import Refusal
from datasets.release.answer.table import Result
from datasets.release.format import layout
from datasets.release.format.verification import Verify
from datasets.release.releases import Releases


class SelfTestFailed(Refusal):
    """A reader could not use the release; it is not published."""


def ensure_readable(folder: Path, verify: Verify) -> None:
    """Open a staged release as a reader does, with signature, hashes, codebook and every cell, and ask for its totals, which
    must equal those in its file. Raises SelfTestFailed, or the error of a full disk."""
    root, dataset, name = folder.parent.parent, folder.parent.name, folder.name
    write_pointer(layout.pointer_file(root, dataset, name.split(".", maxsplit=1)[0]), name)
    failpoint("self-test begun")
    # the cache is not beside the releases: their disk may know no permissions
    with (
        TemporaryDirectory(prefix="daylight-self-test-") as cache,
        closing(Releases(root, Path(cache), verify, (dataset,))) as releases,
    ):
        if releases.degraded:
            _ensure_disk_not_full(releases, dataset, name)
            raise SelfTestFailed(f"the release does not pass its own test: {releases.degraded[0]}")
        measures = [measure.name for measure in releases.current(dataset)[0].codebook.measures]
        answer = releases.ask(releases.question(dataset, [("measure", ",".join(measures))]))
        answered = _answered_totals(answer, measures)
        if any(value != _stored_total(folder, measure) for measure, value in answered.items()):
            raise SelfTestFailed(
                f"the release does not pass its own test: {dataset} {name} answers other totals than its file holds"
            )
    failpoint("self-test passed")


def _ensure_disk_not_full(releases: Releases, dataset: str, name: str) -> None:
    """Raises the error of a full disk, which a reader hides: it continues without the release."""
    try:
        found = releases.find(dataset, name)
        measure = found.codebook.measures[0].name
        releases.ask(releases.question(dataset, [("measure", measure), ("release", name)]))
    except (OSError, duckdb.Error, Refusal) as error:
        cause = error.__cause__ or error
        if is_disk_full(cause):
            raise cause from None


def _answered_totals(answer: Result, measures: list[str]) -> dict[str, float]:
    """The total of each collected measure, as the answer to a question without filters."""
    columns = {column.name: data[0] for column, data in zip(answer.columns, answer.data, strict=True)}
    return {m: float(columns[m]) for m in measures if columns[f"{m}_status"] != "L"}


def _stored_total(folder: Path, measure: str) -> float:
    """The total of a measure in the released file."""
    table = pq.read_table(
        folder / layout.CELLS, columns=["cuboid", measure], filters=[("cuboid", "=", "total")]
    )
    return float(table[measure][0].as_py())
