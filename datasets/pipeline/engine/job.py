"""The seam between a build and what reads its events: what is to be counted, and what was counted.

An engine moves rows: it reads raw events, brings all rows of a privacy unit into one partition, and adds up partial tables.
What a row means is decided by the kernel alone (`datasets.pipeline.engine.kernel`), which each engine calls
(docs/decisions/0030-one-kernel-for-every-engine.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from datasets.definition import Cuboid, Dataset
from datasets.period import Month

Source_contra = TypeVar("Source_contra", contravariant=True)
Counts = Mapping[str, Mapping[Cuboid, NDArray[np.int64]]]
"""Exact tables, flat, by measure and cuboid: private."""


@dataclass(frozen=True)
class CountJob:
    """What is to be counted: the tables of each measure and of each diagnostic of bounding, of a dataset's month.

    Pure data, which can be pickled and sent to another process. It contains no salt, no path and nothing of any event.
    """

    dataset: Dataset
    month: Month
    tables: Mapping[str, tuple[Cuboid, ...]]


@dataclass(frozen=True, slots=True)
class InputIdentity:
    """What names the content of a source. It is private without a salt, since whoever has the events can compute it too."""

    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RowTotals:
    """Numbers of rows read, kept and quarantined. Exact, and therefore private: never publish or log them.

    Raises ValueError if rows were lost, that is, if read is not kept plus quarantined.
    """

    read: int
    kept: int
    quarantined: int
    reasons: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (self.read == self.kept + self.quarantined and self.quarantined == sum(self.reasons.values())):
            raise ValueError("rows were lost: what was read must be what was kept and what was quarantined")


@dataclass(frozen=True)
class Counted:
    """What an engine has counted. Exact and private: never publish or log it; `repr` does not show it."""

    counts: Counts = field(repr=False)
    totals: RowTotals = field(repr=False)
    input: InputIdentity


class Engine(Protocol[Source_contra]):
    """Reads the events of a source, which may be a folder, a table or a snapshot, and counts them."""

    def identify(self, source: Source_contra) -> InputIdentity:
        """What names the content of the source; equal for equal content. Reads metadata only, if the source has enough."""
        ...

    def counted(self, job: CountJob, salt: str, source: Source_contra) -> Counted:
        """The exact counts of a source. `salt` orders the rows of a unit and hides its identifier.

        Raises Refusal if the events cannot be read.
        """
        ...
