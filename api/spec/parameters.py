"""The words of a question as parameters of the description: enumerations from each dataset's measures, levels and codes."""

from __future__ import annotations

from typing import Any

from api.http.media import FORMATS
from api.render.codebook import CODEBOOK_RENDERERS
from datasets.definition import CodeList, Dataset
from datasets.release.query.span import FREQUENCIES
from datasets.release.query.vocabulary import LABELS, MAX_VALUE_LENGTH, MAX_VALUES, PERIOD, SHAPES

Parameter = dict[str, Any]


def query(name: str, words: str, example: str | list[str], **schema: Any) -> Parameter:
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


def several(options: list[str]) -> dict[str, Any]:
    """Values with commas between, each of which is one of the options."""
    return {
        "type": "array",
        "items": {"type": "string", "enum": options},
        "minItems": 1,
        "maxItems": MAX_VALUES,
    }


def words_of(dataset: Dataset) -> list[Parameter]:
    """Every word that a question of this dataset may have, filters last."""
    measured = [measure.name for measure in dataset.measures]
    levels = [level for level in dataset.levels if isinstance(level.codes, CodeList)]
    names = [level.name for level in levels]
    nested = [level.name for d in dataset.dimensions if len(d.levels) > 1 for level in d.levels]
    state, first = "member_state", names[0]
    one, other = measured[1], measured[0]
    listed = next(level for level in levels if level.name == state).codes
    assert isinstance(listed, CodeList)
    two = [code.code for code in listed][:2]
    month, day = r"\d{4}-\d{2}", r"\d{4}-\d{2}(-\d{2})?"
    either = "|".join(measured)
    own = [
        query(
            "measure",
            "Measures, and measures made of them; at least one, or a ratio.",
            measured[:1],
            **several(measured + [derived.name for derived in dataset.derived]),
        ),
        query("group_by", "Levels to group by, at most four, and `period`.", [first], **several([*names, PERIOD])),
        query(
            PERIOD,
            "A month, a day, or a range of either; the latest month by default.",
            "2026-06",
            pattern=rf"^{day}(\.\.{day})?$",
        ),
        query(
            "freq",
            "One row per day, ISO week, month or quarter; without it, one sum over the period.",
            "month",
            enum=list(FREQUENCIES),
        ),
        query(
            "ratio",
            "Measures for each of another, with commas between.",
            f"{one}/{other}",
            pattern=rf"^({either})/({either})(,({either})/({either}))*$",
        ),
        query(
            "share",
            "Of each measure, the part that falls on these codes of a level.",
            f"{state}:{two[0]}",
            pattern=rf"^({'|'.join(names)}):(ne:)?[A-Za-z0-9+_.-]+(,[A-Za-z0-9+_.-]+)*$",
        ),
        query(
            "compare",
            "The first less the second: two codes of a level, or two periods.",
            f"{state}:{two[0]},{two[1]}",
            pattern=rf"^({'|'.join([*names, PERIOD])}):[A-Za-z0-9+_.-]+,[A-Za-z0-9+_.-]+$",
        ),
        query("confidence", "What the intervals cover, from 0.5 to 0.9999; 0.95 by default.", "0.9",
              pattern=r"^0\.[5-9]\d{0,3}$"),
        query("labels", "Codes, their labels, or both in columns of their own.", "both", enum=list(LABELS)),
        query("shape", "A row for each cell, or for each cell and number.", "long", enum=list(SHAPES)),
        query("sort", "Columns to sort by, with commas between; a minus means from the largest down.", f"-{other}",
              pattern=r"^-?[a-z][a-z0-9_]*(,-?[a-z][a-z0-9_]*)*$"),
        query("limit", "At most so many rows; `page` says how many there are in all.", "10", pattern=r"^[1-9]\d{0,5}$"),
        query("cursor", "The next page: `page.next` of the one before.", "", minLength=1),
        query("release", "A release by name, or `latest`.", "latest", pattern=rf"^(latest|{month}\.[1-9]\d{{0,3}})$"),
        query(
            "as_of",
            "The releases that were current then: the end of a day, or a time in UTC.",
            "",
            pattern=r"^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}Z)?$",
        ),
        query(
            "format", "The format of the answer; Accept decides where it is not given.", "json", enum=list(FORMATS)
        ),
    ]  # fmt: skip
    if nested:
        own.append(
            query(
                "level",
                "How deep a nested dimension is grouped.",
                nested[-1:],
                **several(nested),
            )
        )
    own[0]["example"] = measured[:1]
    return own + [_filter(level.name, level.codes) for level in levels]


def _filter(name: str, codes: object) -> Parameter:
    assert isinstance(codes, CodeList)
    listed = [code.code for code in codes]
    words = f"{codes.title}: only these codes; after `ne:` all others."
    return query(name, words, listed[:1], **several(listed))


METADATA: dict[str, Parameter] = {
    "/v1/datasets/{dataset}/codebook": query(
        "format", "The format of the codebook; json by default.", "json", enum=list(CODEBOOK_RENDERERS)
    ),
    "/v1/codelists/{name}": query("search", "Only codes whose code or label holds this text.", "a"),
    "/v1/changelog": query(
        "format", "json or atom; Accept decides where it is not given.", "json", enum=["json", "atom"]
    ),
    "/v1/errata": query(
        "format", "json or atom; Accept decides where it is not given.", "json", enum=["json", "atom"]
    ),
    "/v1/reports/{period}": query(
        "format",
        "json, csv or html; Accept decides where it is not given.",
        "json",
        enum=["json", "csv", "html"],
    ),
    "/v1/reports/{period}/{part}": query(
        "format",
        "csv, the official form, or json; Accept decides where it is not given.",
        "csv",
        enum=["csv", "json"],
    ),
    "/v1/releases/{dataset}/{release}/citation": query(
        "format", "csl or bibtex; csl by default.", "csl", enum=["csl", "bibtex"]
    ),
}
"""What some metadata can be asked."""
