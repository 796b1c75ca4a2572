"""The classes in which commitments and their indicators are declared. Data only; nothing is computed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["count", "share", "hours", "difference of shares", "days"]


@dataclass(frozen=True)
class Indicator:
    """One number of a report and the question that it answers.

    `question` is in the grammar of docs/asking.md, without `period`. `column` is the column of the answer that contains
    the number; if it is empty, the column of the measure. `by` is a level by which the number is also broken down.
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
    """One exact number that is read from the signed manifests; `count` names what is counted."""

    name: str
    title: str
    law: str
    count: Literal["datasets_released", "months_released", "revisions", "days_to_publication"]
    unit: Unit = "count"
    note: str = ""


@dataclass(frozen=True)
class Commitment:
    """One of ten topics of the commitments made binding on 18 June 2025, its indicators, and what cannot be measured.

    A gap is a sentence about something that the commitment names and no dataset contains. No number replaces it.
    """

    number: int
    name: str
    title: str
    promise: str
    law: str
    indicators: tuple[Indicator | Fact, ...]
    gaps: tuple[str, ...]
