"""The plan of a question: what asking would give, and what could be asked instead, without a number of the release."""

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
"""About what a number takes in JSON, with its share of the row's codes; other formats take less."""


def explain(evaluation: Evaluation) -> dict[str, Any]:
    """Rows, cuboids, promised standard errors, what it takes of a quota, and the nearest questions that are surer.

    The standard error of a ratio, a share or a median depends on the numbers themselves; for those only the cuboid is given.
    Raises as asking does.
    """
    question, names = evaluation.question, [release.name for release in evaluation.releases]
    promised = _promised(evaluation)
    rows = promised.pop("rows")
    given = min(rows, question.limit or rows)
    return {
        "dataset": question.dataset,
        "releases": names,
        "query": question.canonical(),
        "query_id": question.id(names),
        "rows": rows,
        **promised,
        "quota": {
            "rows": given,
            "bytes": given * (len(question.group_by) + 5 * len(evaluation.figures)) * BYTES_PER_NUMBER,
            "charged_for_this_plan": 0,
        },
        "neighbours": list(_neighbours(evaluation)),
    }


def _promised(asking: Evaluation) -> dict[str, Any]:
    blocks = list(asking.blocks())
    measures: dict[str, Any] = {}
    for figure in asking.figures:
        measures[figure.name] = {"cuboid": asking.cuboid_of(figure)}
        if isinstance(figure.formula, Linear):
            errors = [block.figures[figure.name].estimate.error for block in blocks]
            measures[figure.name]["standard_error"] = {
                "least": min(float(error.min()) for error in errors),
                "most": max(float(error.max()) for error in errors),
            }
    cells = sum(len(next(iter(block.figures.values())).not_collected) for block in blocks)
    rows = cells * (len(asking.figures) if asking.question.shape == "long" else 1)
    return {"rows": rows, "measures": measures}


def _neighbours(asking: Evaluation) -> Iterator[dict[str, Any]]:
    """Questions one step coarser: of fewer rows, each surer in proportion."""
    for change, question in _coarser(asking):
        near = replace(asking, question=question, cuboids={})
        try:
            yield {"change": change, "query": question.canonical(), **_promised(near)}
        except (NotPublished, EmptyQuestion, MalformedQuestion):
            continue


def _coarser(asking: Evaluation) -> Iterator[tuple[str, Question]]:
    question = replace(asking.question, sort=(), limit=None, cursor=None)
    book = asking.releases[-1].codebook
    for name in question.group_by:
        at, depth = book.places[name]
        if depth > 1:
            above = book.dimensions[at].levels[depth - 2].name
            groups = tuple(above if group == name else group for group in question.group_by)
            yield f"group by {above} instead of {name}", replace(question, group_by=groups)
        groups = tuple(group for group in question.group_by if group != name)
        yield f"do not group by {name}", replace(question, group_by=groups)
    freq = question.span.freq
    for longer in FREQUENCIES[FREQUENCIES.index(freq) + 1 :] if freq else ():
        span = replace(question.span, freq=longer)
        if span.whole() == span:
            yield f"freq={longer} instead of {freq}", replace(question, span=span)
            break
