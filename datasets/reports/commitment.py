"""The words in which a commitment and its indicators are declared. Data, to be read aloud; nothing is computed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["count", "share", "hours", "difference of shares", "days"]


@dataclass(frozen=True)
class Indicator:
    """One number of a report and the question that it is the answer to.

    `question` is in the grammar of docs/asking.md, without `period`; `column` is the column of its answer that is meant,
    the measure itself where it is empty. `by` is a level by which the number is also broken down.
    """

    name: str
    title: str
    law: str
    dataset: str
    question: str
    unit: Unit = "count"
    column: str = ""
    by: str = ""
    note: str = ""

    @property
    def figure(self) -> str:
        """The name of the figure in the answer."""
        return self.column or dict(pair.split("=", 1) for pair in self.question.split("&"))["measure"]


@dataclass(frozen=True)
class Fact:
    """One number that is read from the signed manifests, and so is exact: `count` names what is counted."""

    name: str
    title: str
    law: str
    count: Literal["datasets_released", "months_released", "revisions", "days_to_publication"]
    unit: Unit = "count"
    note: str = ""


@dataclass(frozen=True)
class Commitment:
    """One of the ten commitments made binding on 18 June 2025, what is measured of it, and what is not.

    A gap is a sentence: what the commitment names and no dataset holds. No number stands in its place.
    """

    number: int
    name: str
    title: str
    promise: str
    law: str
    indicators: tuple[Indicator | Fact, ...]
    gaps: tuple[str, ...]
