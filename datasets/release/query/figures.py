"""The figures of a question: the name of each number, its formula, and the sums that it is computed from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf

from datasets.privacy.estimate import BandMedian, Formula, Linear, Quotient, QuotientDifference
from datasets.release.format.codebook import Codebook, DerivedEntry
from datasets.release.query.question import CodeComparison, Codes, CodeSubset, PeriodComparison, Question
from datasets.release.query.span import Span
from datasets.release.query.vocabulary import MalformedQuestion


@dataclass(frozen=True, slots=True)
class Term:
    """A sum of published cells: a measure within some codes, besides the question's filters, over its own span if any."""

    measure: str
    within: tuple[tuple[str, Codes], ...] = ()
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a row: the name of its column, its formula, and the terms that the formula takes."""

    name: str
    formula: Formula
    terms: tuple[Term, ...]


SUFFIXES = ("", "_se", "_lo", "_hi")
"""Suffixes of the columns of a figure: its value, its standard error and both ends of its interval."""


def figures_of(question: Question, codebook: Codebook) -> tuple[Figure, ...]:
    """Every figure of a question, in the order of the columns. Raises MalformedQuestion if one has no meaning."""
    derived = {entry.name: entry for entry in codebook.derived}
    for name in question.measures:
        if name in derived:
            _ensure_median_not_grouped(derived[name], question, codebook)
    figures = [
        _derived_figure(derived[name]) if name in derived else Figure(name, Linear(), (Term(name),))
        for name in question.measures
    ]
    if question.share is not None:
        counted = [name for name in question.measures if name not in derived]
        figures += _share_figures(question.share, counted, codebook)
    figures += [Figure(f"{n}_per_{d}", Quotient(), (Term(n), Term(d))) for n, d in question.ratios]
    if question.compare is None:
        return tuple(figures)
    return tuple(_difference_figure(figure, question.compare) for figure in figures)


def _share_figures(share: CodeSubset, measures: Sequence[str], codebook: Codebook) -> list[Figure]:
    if not measures:
        raise MalformedQuestion(
            f"share={share} has nothing to be taken of; name a measure that counts, such as "
            f"measure={codebook.measures[0].name}",
            parameter="share",
            value=str(share),
        )
    part = (share.level, share.codes)
    return [Figure(f"{name}_share", Quotient(), (Term(name, (part,)), Term(name))) for name in measures]


def columns_of_figures(figures: Iterable[Figure]) -> tuple[str, ...]:
    """The names of the columns that hold numbers."""
    return tuple(figure.name + suffix for figure in figures for suffix in SUFFIXES)


def _derived_figure(entry: DerivedEntry) -> Figure:
    if entry.kind == "rate":
        assert entry.numerator is not None
        assert entry.denominator is not None
        return Figure(entry.name, Quotient(), (Term(entry.numerator), Term(entry.denominator)))
    assert entry.of is not None
    assert entry.level is not None
    if entry.kind == "share":
        among = ((entry.level, entry.among),) if entry.among else ()
        return Figure(
            entry.name, Quotient(), (Term(entry.of, ((entry.level, entry.codes),)), Term(entry.of, among))
        )
    edges = [
        entry.bands[0].lower,
        *(inf if band.upper is None else band.upper for band in entry.bands),
    ]
    terms = tuple(Term(entry.of, ((entry.level, (band.code,)),)) for band in entry.bands)
    return Figure(entry.name, BandMedian(tuple(edges)), terms)


def _ensure_median_not_grouped(entry: DerivedEntry, question: Question, codebook: Codebook) -> None:
    """Raises MalformedQuestion: within one band there is no median of the bands."""
    if entry.kind != "median" or entry.level is None:
        return
    at = codebook.places[entry.level][0]
    if any(codebook.places[name][0] == at for name in question.group_by):
        raise MalformedQuestion(
            f"{entry.name} is the middle of {entry.level}, so it cannot be grouped by it; leave {entry.level} "
            "out of group_by",
            parameter="group_by",
            value=entry.level,
        )


def _difference_figure(figure: Figure, compare: CodeComparison | PeriodComparison) -> Figure:
    left = tuple(_term_of_side(term, compare, compare.left) for term in figure.terms)
    right = tuple(_term_of_side(term, compare, compare.right) for term in figure.terms)
    match figure.formula:
        case Linear():
            formula: Formula = Linear((1.0, -1.0))
        case Quotient():
            formula = QuotientDifference()
        case _:
            raise MalformedQuestion(
                f"compare={compare} does not go with {figure.name}: the difference of two medians has no exact error; "
                "ask for both and compare their intervals",
                parameter="compare",
                value=str(compare),
            )
    return Figure(f"{figure.name}_difference", formula, left + right)


def _term_of_side(term: Term, compare: CodeComparison | PeriodComparison, side: str | Span) -> Term:
    if isinstance(side, Span):
        return replace(term, span=side)
    assert isinstance(compare, CodeComparison)
    return replace(term, within=(*term.within, (compare.level, (side,))))
