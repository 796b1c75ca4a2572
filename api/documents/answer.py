"""The description of answers and plans. An answer's bytes are written without models, since its rows are many."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.http.document import Document, IfKnown
from datasets.release.answer.table import ColumnType
from datasets.release.format.status import STATUS

Count = Annotated[int, Field(ge=0)]


class UncertaintyNote(Document):
    """How noise was added, the confidence of the intervals, what they cover, and what each status means."""

    mechanism: str
    confidence: float
    covers: str
    status: dict[str, str]


class KeptRange(Document):
    """An estimated share of rows with its interval; null if it is lost in the noise."""

    share: float | None
    lo: float | None
    hi: float | None


class KeptShare(Document):
    """The share of rows that bounding kept, out of the rows under a looser bound."""

    against_rows_per_unit: Count
    share: float | None
    lo: float | None
    hi: float | None
    by: Annotated[
        dict[str, dict[str, KeptRange]],
        Field(description="The same for each code that is grouped or filtered by, at the first level."),
    ]


class EarlierBounding(Document):
    """The contribution bound of a measure in an earlier release, and what it kept."""

    rows_per_unit: int | None
    kept: KeptShare | None


class MeasureBounding(Document):
    """The contribution bound of a measure, and the share of rows that it kept."""

    rows_per_unit: int | None
    kept: KeptShare | None
    earlier: Annotated[
        dict[str, EarlierBounding],
        Field(description="The same for each earlier release that is read, by its name."),
    ]


class PageInfo(Document):
    """How many rows this page has of how many, and the cursor of the next."""

    returned: Count
    total: Count
    truncated: bool
    next: str | None


class AnswerColumn(Document):
    """A column of the rows."""

    name: str
    type: ColumnType


Row = Annotated[
    dict[str, str | float | None],
    Field(
        description="Codes, and for each measure its value, standard error, interval and status: "
        + "; ".join(f"{status}: {meaning}" for status, meaning in STATUS.items()),
        json_schema_extra={"required": ["period"]},
    ),
]


class AnswerDocument(Document):
    """The answer to a question."""

    dataset: str
    releases: list[str]
    query: Annotated[
        str,
        Field(description="The question in canonical form: two spellings of one question have the same."),
    ]
    query_id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    cuboid: Annotated[dict[str, str], Field(description="The cuboid that each figure is read from.")]
    uncertainty: UncertaintyNote
    bounding: dict[str, MeasureBounding]
    page: PageInfo
    warnings: list[str]
    columns: list[AnswerColumn]
    data: list[Row]


class ErrorRange(Document):
    """The least and the largest standard error of the cells."""

    least: float
    most: float


class ExpectedFigure(Document):
    """The cuboid that a figure is read from, and its standard errors if they are known beforehand."""

    cuboid: str
    standard_error: IfKnown[ErrorRange] = None


class PlannedQuota(Document):
    """What the answer would charge to the quota, and what this plan charges: nothing."""

    rows: Count
    bytes: Count
    charged_for_this_plan: Count


class CoarserPlan(Document):
    """What is promised for a question that is one step coarser."""

    change: str
    query: str
    rows: Count
    measures: dict[str, ExpectedFigure]


class PlanDocument(Document):
    """What a question would give."""

    dataset: str
    releases: list[str]
    query: str
    query_id: str
    rows: Count
    measures: dict[str, ExpectedFigure]
    quota: PlannedQuota
    neighbours: list[CoarserPlan]
