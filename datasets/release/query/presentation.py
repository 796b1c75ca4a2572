"""The parameters that say how an answer is written: confidence, order and number of rows."""

from __future__ import annotations

import re
from collections.abc import Mapping

from datasets.refusal import did_you_mean, nearest, printable
from datasets.release.format.codebook import Codebook
from datasets.release.format.status import CONFIDENCE
from datasets.release.query.figures import columns_of_figures, figures_of
from datasets.release.query.question import Question
from datasets.release.query.vocabulary import PERIOD, MalformedQuestion, listed_values

MIN_CONFIDENCE = 0.5

_LIMIT = re.compile(r"[1-9]\d{0,5}", re.ASCII)
_CONFIDENCE = re.compile(r"0\.\d{1,4}", re.ASCII)


def parse_confidence(parameters: Mapping[str, str]) -> float:
    """The confidence of the intervals. Raises MalformedQuestion."""
    text = parameters.get("confidence", str(CONFIDENCE))
    if not _CONFIDENCE.fullmatch(text) or float(text) < MIN_CONFIDENCE:
        raise MalformedQuestion(
            f"confidence={printable(text)} is not a confidence; write one from {MIN_CONFIDENCE} to 0.9999, for example 0.9",
            parameter="confidence",
            value=text,
        )
    return float(text)


def parse_limit(parameters: Mapping[str, str]) -> int | None:
    """The most rows of a page; None if there is no limit. Raises MalformedQuestion."""
    text = parameters.get("limit")
    if text is None:
        return None
    if not _LIMIT.fullmatch(text):
        raise MalformedQuestion(
            f"limit={printable(text)} is not a number of rows; write a whole number from 1 to 999999",
            parameter="limit",
            value=text,
        )
    return int(text)


def parse_sort(parameters: Mapping[str, str], question: Question, codebook: Codebook) -> tuple[str, ...]:
    """The columns to sort by, the most significant first; a minus before a name sorts from the largest value down.

    Raises MalformedQuestion, also if the figures of the question cannot be made.
    """
    columns = _sortable_columns(question, codebook)
    sort = tuple(listed_values(parameters, "sort"))
    for column in sort:
        name = column.removeprefix("-")
        if name not in columns:
            raise MalformedQuestion(
                f"sort={printable(column)} names no column of this answer; it has {', '.join(columns)}."
                + did_you_mean(name, columns),
                parameter="sort",
                value=column,
                allowed=columns,
                suggestions=nearest(name, columns),
            )
    return sort


def _sortable_columns(question: Question, codebook: Codebook) -> tuple[str, ...]:
    figures = figures_of(question, codebook)
    if question.shape == "long":
        return (PERIOD, *question.group_by, "measure", "value", "se", "lo", "hi")
    return (PERIOD, *question.group_by, *columns_of_figures(figures))
