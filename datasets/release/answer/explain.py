"""What a question would give and which coarser questions could be asked instead, without reading a number of the release."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from datasets.privacy.estimate import Linear
from datasets.release.answer.evaluation import Evaluation
from datasets.release.answer.grid import EmptyQuestion, NotPublished
from datasets.release.query.question import Question
from datasets.release.query.span import FREQUENCIES
from datasets.release.query.vocabulary import MalformedQuestion

BYTES_PER_NUMBER = 24
"""About the size of a number in JSON, with its part of the row's codes; other formats need less."""


def explain(evaluation: Evaluation) -> dict[str, Any]:
    """Rows, cuboids, promised standard errors, the use of the quota, and the nearest questions with smaller relative errors.

    The standard error of a ratio, a share or a median depends on the numbers themselves; for those only the cuboid is given.
    Raises as `Evaluation.result` does.
    """
    question, names = evaluation.question, [release.name for release in evaluation.releases]
    promised = _promised_errors(evaluation)
    rows = promised.pop("rows")
    returned = min(rows, question.limit or rows)
    return {
        "dataset": question.dataset,
        "releases": names,
        "query": question.canonical(),
        "query_id": question.id(names),
        "rows": rows,
        **promised,
        "quota": {
            "rows": returned,
            "bytes": returned * (len(question.group_by) + 5 * len(evaluation.figures)) * BYTES_PER_NUMBER,
            "charged_for_this_plan": 0,
        },
        "neighbours": list(_coarser_plans(evaluation)),
    }


def _promised_errors(evaluation: Evaluation) -> dict[str, Any]:
    """The number of rows; for each figure its cuboid, and the range of its standard errors if they are known beforehand."""
    blocks = list(evaluation.blocks())
    measures: dict[str, Any] = {}
    for figure in evaluation.figures:
        measures[figure.name] = {"cuboid": evaluation.cuboid_of(figure)}
        if isinstance(figure.formula, Linear):
            errors = [block.figures[figure.name].estimate.error for block in blocks]
            measures[figure.name]["standard_error"] = {
                "least": min(float(error.min()) for error in errors),
                "most": max(float(error.max()) for error in errors),
            }
    cells = sum(len(next(iter(block.figures.values())).not_collected) for block in blocks)
    rows = cells * (len(evaluation.figures) if evaluation.question.shape == "long" else 1)
    return {"rows": rows, "measures": measures}


def _coarser_plans(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    """What is promised for questions one step coarser: they have fewer rows, with smaller errors in proportion."""
    for change, question in _coarser_questions(evaluation):
        coarser = replace(evaluation, question=question, cuboids={})
        try:
            yield {"change": change, "query": question.canonical(), **_promised_errors(coarser)}
        except (NotPublished, EmptyQuestion, MalformedQuestion):
            continue


def _coarser_questions(evaluation: Evaluation) -> Iterator[tuple[str, Question]]:
    """Each change that makes the question one step coarser, and the question after it."""
    question = replace(evaluation.question, sort=(), limit=None, cursor=None)
    codebook = evaluation.releases[-1].codebook
    for name in question.group_by:
        at, depth = codebook.places[name]
        if depth > 1:
            above = codebook.dimensions[at].levels[depth - 2].name
            groups = tuple(above if group == name else group for group in question.group_by)
            yield f"group by {above} instead of {name}", replace(question, group_by=groups)
        groups = tuple(group for group in question.group_by if group != name)
        yield f"do not group by {name}", replace(question, group_by=groups)
    freq = question.span.freq
    for longer in FREQUENCIES[FREQUENCIES.index(freq) + 1 :] if freq else ():
        span = replace(question.span, freq=longer)
        if span.largest_whole() == span:
            yield f"freq={longer} instead of {freq}", replace(question, span=span)
            break
