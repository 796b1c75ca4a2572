"""The formats that can be imported, by name."""

from __future__ import annotations

from pathlib import Path

from datasets.definition import Dataset
from datasets.pipeline.importers.layout import SourceFormat
from datasets.pipeline.importers.open_bandit import OpenBandit
from datasets.pipeline.importers.statements import StatementsOfReasons
from datasets.pipeline.importers.table import BadMapping, MappedTable
from datasets.refusal import Refusal, did_you_mean, printable

FORMATS = (StatementsOfReasons.name, OpenBandit.name, MappedTable.name)


class UnknownFormat(Refusal):
    """The format does not exist."""


def find_format(name: str, dataset: Dataset, mapping: Path | None = None) -> SourceFormat:
    """The format with this name; `mapping` is for tables only. Raises UnknownFormat and BadMapping."""
    if name not in FORMATS:
        raise UnknownFormat(
            f"--format {printable(name)!r} is not known; choose one of {', '.join(FORMATS)}.{did_you_mean(name, FORMATS)}",
            parameter="format", value=name, allowed=FORMATS,
        )  # fmt: skip
    if (mapping is None) == (name == MappedTable.name):
        wants = "needs --mapping FILE" if mapping is None else "takes no --mapping; only --format table does"
        raise BadMapping(f"--format {name} {wants}")
    if mapping is not None:
        return MappedTable(mapping, dataset)
    return StatementsOfReasons() if name == StatementsOfReasons.name else OpenBandit()
