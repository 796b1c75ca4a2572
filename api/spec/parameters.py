"""The query parameters of a question in the description, from the declared dataset."""

from __future__ import annotations

from typing import Any

from api.http.media import FORMATS
from datasets.definition import CodeList, Dataset, Level
from datasets.release.query.span import FREQUENCIES
from datasets.release.query.vocabulary import LABELS, MAX_VALUE_LENGTH, MAX_VALUES, PERIOD, SHAPES

Parameter = dict[str, Any]


def query_parameter(name: str, description: str, example: str | list[str], **schema: Any) -> Parameter:
    """A query parameter. An array is written with commas between its values.

    The example is in the schema, not in the parameter: Swagger UI would fill in the examples of all parameters at once.
    """
    listed = schema.get("type") == "array"
    shape = schema if listed else {"type": "string", "maxLength": MAX_VALUE_LENGTH, **schema}
    return {
        "name": name, "in": "query", "description": description, "required": False,
        **({"style": "form", "explode": False} if listed else {}),
        "schema": {**shape, **({"examples": [example]} if example else {})},
    }  # fmt: skip


def comma_separated(options: list[str]) -> dict[str, Any]:
    """The schema of a list of these options, separated by commas."""
    return {
        "type": "array",
        "items": {"type": "string", "enum": options},
        "minItems": 1,
        "maxItems": MAX_VALUES,
    }


def query_parameters(dataset: Dataset) -> list[Parameter]:
    """Every parameter that a question about this dataset may have, filters last."""
    return [
        *_selection(dataset),
        *_calculations(dataset),
        *_presentation(dataset),
        *_releases(),
        query_parameter(
            "format", "The format of the answer. By default the header Accept decides.", "json", enum=list(FORMATS)
        ),
        *_depth(dataset),
        *[_filter(level.name, level.codes) for level in _coded_levels(dataset)],
    ]  # fmt: skip


def _selection(dataset: Dataset) -> list[Parameter]:
    """What is counted, by what, and when."""
    measures = [measure.name for measure in dataset.measures]
    names = [level.name for level in _coded_levels(dataset)]
    day = r"\d{4}-\d{2}(-\d{2})?"
    measure = query_parameter(
        "measure",
        "Measures or derived measures, separated by commas. At least one is needed, or a `ratio`.",
        measures[:1],
        **comma_separated(measures + [derived.name for derived in dataset.derived]),
    )
    return [
        {**measure, "example": measures[:1]},
        query_parameter(
            "group_by",
            "Levels to group by, at most four, and `period`.",
            names[:1],
            **comma_separated([*names, PERIOD]),
        ),
        query_parameter(
            PERIOD,
            "A month, a day, or a range of either; the latest month by default.",
            "2026-06",
            pattern=rf"^{day}(\.\.{day})?$",
        ),
        query_parameter(
            "freq",
            "One row for each day, ISO week, month or quarter. By default the whole period is summed.",
            "month",
            enum=list(FREQUENCIES),
        ),
    ]


def _calculations(dataset: Dataset) -> list[Parameter]:
    """What is calculated from measures: ratios, shares and differences, with their intervals."""
    measures = [measure.name for measure in dataset.measures]
    levels = {level.name: level.codes for level in _coded_levels(dataset)}
    states = levels["member_state"]
    assert isinstance(states, CodeList)
    one, other = [code.code for code in states][:2]
    either, code = "|".join(measures), r"[A-Za-z0-9+_.-]+"
    return [
        query_parameter(
            "ratio",
            "Ratios of two measures, separated by commas: `actions/accounts` is actions per account.",
            f"{measures[1]}/{measures[0]}",
            pattern=rf"^({either})/({either})(,({either})/({either}))*$",
        ),
        query_parameter(
            "share",
            "The share of each measure that has one of these codes of a level.",
            f"member_state:{one}",
            pattern=rf"^({'|'.join(levels)}):(ne:)?{code}(,{code})*$",
        ),
        query_parameter(
            "compare",
            "The difference of two codes of a level, or of two periods: the first minus the second.",
            f"member_state:{one},{other}",
            pattern=rf"^({'|'.join([*levels, PERIOD])}):{code},{code}$",
        ),
        query_parameter(
            "confidence",
            "The confidence level of the intervals, from 0.5 to 0.9999; 0.95 by default.",
            "0.9",
            pattern=r"^0\.[5-9]\d{0,3}$",
        ),
    ]


def _presentation(dataset: Dataset) -> list[Parameter]:
    """How the rows are written, sorted and divided into pages."""
    return [
        query_parameter(
            "labels",
            "Whether rows have codes, their labels, or both in separate columns.",
            "both",
            enum=list(LABELS),
        ),
        query_parameter(
            "shape",
            "`wide`: one row for each cell. `long`: one row for each cell and number.",
            "long",
            enum=list(SHAPES),
        ),
        query_parameter(
            "sort",
            "Columns to sort by, separated by commas. A minus sorts in descending order.",
            f"-{dataset.measures[0].name}",
            pattern=r"^-?[a-z][a-z0-9_]*(,-?[a-z][a-z0-9_]*)*$",
        ),
        query_parameter(
            "limit",
            "The largest number of rows. `page` gives the total.",
            "10",
            pattern=r"^[1-9]\d{0,5}$",
        ),
        query_parameter(
            "cursor", "The next page: the value of `page.next` in the previous one.", "", minLength=1
        ),
    ]


def _releases() -> list[Parameter]:
    """Which releases the answer is read from."""
    return [
        query_parameter(
            "release",
            "The name of a release, or `latest`.",
            "latest",
            pattern=r"^(latest|\d{4}-\d{2}\.[1-9]\d{0,3})$",
        ),
        query_parameter(
            "as_of",
            "Use the releases that were current at this time in UTC, or at the end of this day.",
            "",
            pattern=r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?$",
        ),
    ]


def _depth(dataset: Dataset) -> list[Parameter]:
    """The parameter `level`, if the dataset has a dimension with nested codes."""
    nested = [level.name for d in dataset.dimensions if len(d.levels) > 1 for level in d.levels]
    if not nested:
        return []
    described = "The level by which a dimension with nested codes is grouped."
    return [query_parameter("level", described, nested[-1:], **comma_separated(nested))]


def _filter(name: str, codes: object) -> Parameter:
    assert isinstance(codes, CodeList)
    listed = [code.code for code in codes]
    description = f"{codes.title}: only these codes, or, after `ne:`, all others."
    return query_parameter(name, description, listed[:1], **comma_separated(listed))


def _coded_levels(dataset: Dataset) -> list[Level]:
    """The levels with a code list: all except days."""
    return [level for level in dataset.levels if isinstance(level.codes, CodeList)]
