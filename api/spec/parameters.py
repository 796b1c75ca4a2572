"""The words of a question as parameters of the description: enumerations from each dataset's measures, levels and codes."""

from __future__ import annotations

from typing import Any

from api.http.media import FORMATS
from api.render.codebook import CODEBOOK_RENDERERS
from datasets.definition import CodeList, Dataset, Level
from datasets.release.query.span import FREQUENCIES
from datasets.release.query.vocabulary import LABELS, MAX_VALUE_LENGTH, MAX_VALUES, PERIOD, SHAPES

Parameter = dict[str, Any]


def query_parameter(name: str, words: str, example: str | list[str], **schema: Any) -> Parameter:
    """A parameter of the query; an array is written with commas between.

    The example stands in the schema: pages that fill in a parameter's own example would ask all words at once.
    """
    listed = schema.get("type") == "array"
    shape = schema if listed else {"type": "string", "maxLength": MAX_VALUE_LENGTH, **schema}
    return {
        "name": name, "in": "query", "description": words, "required": False,
        **({"style": "form", "explode": False} if listed else {}),
        "schema": {**shape, **({"examples": [example]} if example else {})},
    }  # fmt: skip


def comma_separated(options: list[str]) -> dict[str, Any]:
    """Values with commas between, each of which is one of the options."""
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
            "format", "The format of the answer; Accept decides where it is not given.", "json", enum=list(FORMATS)
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
        "Measures, and measures made of them; at least one, or a ratio.",
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
            "One row per day, ISO week, month or quarter; without it, one sum over the period.",
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
            "Measures for each of another, with commas between.",
            f"{measures[1]}/{measures[0]}",
            pattern=rf"^({either})/({either})(,({either})/({either}))*$",
        ),
        query_parameter(
            "share",
            "Of each measure, the part that falls on these codes of a level.",
            f"member_state:{one}",
            pattern=rf"^({'|'.join(levels)}):(ne:)?{code}(,{code})*$",
        ),
        query_parameter(
            "compare",
            "The first less the second: two codes of a level, or two periods.",
            f"member_state:{one},{other}",
            pattern=rf"^({'|'.join([*levels, PERIOD])}):{code},{code}$",
        ),
        query_parameter(
            "confidence",
            "What the intervals cover, from 0.5 to 0.9999; 0.95 by default.",
            "0.9",
            pattern=r"^0\.[5-9]\d{0,3}$",
        ),
    ]


def _presentation(dataset: Dataset) -> list[Parameter]:
    """How the rows are written, sorted and divided into pages."""
    return [
        query_parameter(
            "labels", "Codes, their labels, or both in columns of their own.", "both", enum=list(LABELS)
        ),
        query_parameter(
            "shape", "A row for each cell, or for each cell and number.", "long", enum=list(SHAPES)
        ),
        query_parameter(
            "sort",
            "Columns to sort by, with commas between; a minus means from the largest down.",
            f"-{dataset.measures[0].name}",
            pattern=r"^-?[a-z][a-z0-9_]*(,-?[a-z][a-z0-9_]*)*$",
        ),
        query_parameter(
            "limit",
            "At most so many rows; `page` says how many there are in all.",
            "10",
            pattern=r"^[1-9]\d{0,5}$",
        ),
        query_parameter("cursor", "The next page: `page.next` of the one before.", "", minLength=1),
    ]


def _releases() -> list[Parameter]:
    """Which releases the answer is read from."""
    return [
        query_parameter(
            "release",
            "A release by name, or `latest`.",
            "latest",
            pattern=r"^(latest|\d{4}-\d{2}\.[1-9]\d{0,3})$",
        ),
        query_parameter(
            "as_of",
            "The releases that were current then: the end of a day, or a time in UTC.",
            "",
            pattern=r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?$",
        ),
    ]


def _depth(dataset: Dataset) -> list[Parameter]:
    """The parameter `level`, if the dataset has a dimension with nested codes."""
    nested = [level.name for d in dataset.dimensions if len(d.levels) > 1 for level in d.levels]
    if not nested:
        return []
    described = "How deep a nested dimension is grouped."
    return [query_parameter("level", described, nested[-1:], **comma_separated(nested))]


def _filter(name: str, codes: object) -> Parameter:
    assert isinstance(codes, CodeList)
    listed = [code.code for code in codes]
    description = f"{codes.title}: only these codes; after `ne:` all others."
    return query_parameter(name, description, listed[:1], **comma_separated(listed))


def _coded_levels(dataset: Dataset) -> list[Level]:
    """The levels with a code list: all except days."""
    return [level for level in dataset.levels if isinstance(level.codes, CodeList)]


METADATA: dict[str, Parameter] = {
    "/v1/datasets/{dataset}/codebook": query_parameter(
        "format", "The format of the codebook; json by default.", "json", enum=list(CODEBOOK_RENDERERS)
    ),
    "/v1/codelists/{name}": query_parameter("search", "Only codes whose code or label holds this text.", "a"),
    "/v1/changelog": query_parameter(
        "format", "json or atom; Accept decides where it is not given.", "json", enum=["json", "atom"]
    ),
    "/v1/errata": query_parameter(
        "format", "json or atom; Accept decides where it is not given.", "json", enum=["json", "atom"]
    ),
    "/v1/reports/{period}": query_parameter(
        "format",
        "json, csv or html; Accept decides where it is not given.",
        "json",
        enum=["json", "csv", "html"],
    ),
    "/v1/reports/{period}/{part}": query_parameter(
        "format",
        "csv, the official form, or json; Accept decides where it is not given.",
        "csv",
        enum=["csv", "json"],
    ),
    "/v1/releases/{dataset}/{release}/citation": query_parameter(
        "format", "csl or bibtex; csl by default.", "csl", enum=["csl", "bibtex"]
    ),
}
"""What some metadata can be asked."""
