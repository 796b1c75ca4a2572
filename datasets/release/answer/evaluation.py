"""The evaluation of one question: its figures period by period, from its releases, and the metadata of the result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from statistics import NormalDist
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from datasets.period import Month
from datasets.privacy.axis import Floats
from datasets.release.answer.cursor import Cursors
from datasets.release.answer.deadline import Deadline
from datasets.release.answer.grid import Grid, build_grid
from datasets.release.answer.notes import not_collected, warnings
from datasets.release.answer.release import Release
from datasets.release.answer.table import FigureValues, Result, RowBlock, build_table, row_order, select_rows
from datasets.release.format.codebook import CodeEntry
from datasets.release.format.status import COVERS, STATUS
from datasets.release.query.figures import Figure, Term, figures_of
from datasets.release.query.question import Question
from datasets.release.query.span import Days

DaysOfTerms = dict[Term, tuple[tuple[Month, Days], ...]]
"""The days of each month that each term adds up."""


@dataclass
class Sums:
    """The sums of some terms, cell by cell: values, which were not collected, and the covariances of pairs of terms."""

    values: dict[Term, Floats] = field(default_factory=dict)
    not_collected: dict[Term, NDArray[np.bool_]] = field(default_factory=dict)
    covariances: dict[tuple[Term, Term], Floats] = field(default_factory=dict)

    def figure_values(self, figure: Figure, z: float) -> FigureValues:
        """A figure made of these sums; `z` is the normal quantile of its interval."""
        terms = figure.terms
        values = np.stack([self.values[term] for term in terms])
        covariance = np.empty((len(terms), *values.shape))
        for i, one in enumerate(terms):
            for j in range(i, len(terms)):
                covariance[i, j] = covariance[j, i] = self.covariances.get((one, terms[j]), 0.0)
        missing = np.any([self.not_collected[term] for term in terms], axis=0)
        return FigureValues(figure.formula.estimate(values, covariance, z), missing)


@dataclass
class Evaluation:
    """One question, the releases that it is asked of, and the deadline it runs under.

    With `dry_run` nothing is read: every value is zero, and only the standard errors mean something.
    """

    con: duckdb.DuckDBPyConnection
    question: Question
    releases: tuple[Release, ...]
    deadline: Deadline
    cursors: Cursors
    dry_run: bool = False
    cuboids: dict[Term, str] = field(default_factory=dict)
    """The cuboid that each term was read from, written down while `blocks` runs."""

    def result(self) -> Result:
        """The page that the question asks for. Raises NotPublished, EmptyQuestion, CursorRefused, QuestionInterrupted."""
        columns, data = build_table(self.question, list(self.blocks()))
        order = row_order(columns, data, self.question.sort)
        start = self._first_row(order)
        rows = order[start : start + self.question.limit] if self.question.limit else order[start:]
        has_more = start + len(rows) < len(order)
        cursor = self.cursors.write(self._pages_id, int(rows[-1])) if has_more else None
        page = {"returned": len(rows), "total": len(order), "truncated": has_more, "next": cursor}
        return Result(columns, select_rows(data, rows), self._meta(page))

    @property
    def _pages_id(self) -> str:
        return self.question.id_of_pages([release.name for release in self.releases])

    def _first_row(self, order: NDArray[np.int64]) -> int:
        """How many rows the pages before this one had. Raises CursorRefused."""
        if self.question.cursor is None:
            return 0
        last = self.cursors.read(self.question.cursor, self._pages_id)
        return int(np.flatnonzero(order == last)[0]) + 1

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """What the columns of numbers hold."""
        return figures_of(self.question, self.releases[-1].codebook)

    @cached_property
    def _terms(self) -> tuple[Term, ...]:
        return tuple(dict.fromkeys(term for figure in self.figures for term in figure.terms))

    def blocks(self) -> Iterator[RowBlock]:
        """The rows, period by period."""
        z = NormalDist().inv_cdf((1 + self.question.confidence) / 2)
        for periods, days in self._periods():
            sums, labels = self._sums(days)
            figures = {figure.name: sums.figure_values(figure, z) for figure in self.figures}
            yield RowBlock(periods, labels, figures)

    def _periods(self) -> Iterator[tuple[tuple[str, ...], DaysOfTerms]]:
        """The labels of the periods of each block, and the days of each month that each term adds up in it."""
        if self.question.is_by_day:
            for month, days in self.question.span.by_month():
                yield tuple(day.isoformat() for day in days), dict.fromkeys(self._terms, ((month, days),))
            return
        for period in self.question.periods:
            yield (
                (period.label,),
                {term: tuple(term.span.by_month()) if term.span else period.parts for term in self._terms},
            )

    def _sums(self, days: DaysOfTerms) -> tuple[Sums, list[list[tuple[str, ...]]]]:
        """The sums over all months, and the labels of the rows.

        The noise of different releases is independent, so over months values and covariances add up.
        """
        by_month = {Month.parse(release.manifest.month): release for release in self.releases}
        sums, labels = Sums(), None
        for month in sorted({month for of_term in days.values() for month, _ in of_term}):
            of_month = {term: when for term, of_term in days.items() for at, when in of_term if at == month}
            grids = self._grids(by_month[month], of_month)
            self._add_release(sums, by_month[month], grids)
            labels = labels or _row_labels(next(iter(grids.values())), self.question)
        return sums, labels or []

    def _grids(self, release: Release, days: dict[Term, Days]) -> dict[Term, Grid]:
        """The grid of each term in one release; terms within the same codes and days share one."""
        by_key: dict[tuple[object, Days], Grid] = {}
        for term, when in days.items():
            if (term.within, when) not in by_key:
                by_key[term.within, when] = build_grid(
                    self.question, release.codebook, when, by_day=self.question.is_by_day, within=term.within
                )
        return {term: by_key[term.within, when] for term, when in days.items()}

    def _add_release(self, sums: Sums, release: Release, grids: dict[Term, Grid]) -> None:
        """Add the cells of one release to the sums. Raises NotPublished, QuestionInterrupted."""
        order = _output_order(next(iter(grids.values())), self.question, by_day=self.question.is_by_day)

        def in_row_order(table: NDArray[Any], grid: Grid) -> NDArray[Any]:
            return np.broadcast_to(table, grid.shape).transpose(order).ravel()

        for term, table in self._read_sums(release, grids).items():
            grid = grids[term]
            missing = in_row_order(not_collected(grid, release.manifest, term.measure), grid)
            sums.values[term] = sums.values.get(term, 0.0) + in_row_order(table, grid)
            sums.not_collected[term] = sums.not_collected.get(term, False) | missing
        for one, other in self._pairs:
            if one in grids and other in grids:
                left, right = release.measures[one.measure], release.measures[other.measure]
                covariance = left.covariance(grids[one].factors, right, grids[other].factors)
                covariance = in_row_order(covariance.reshape(grids[one].shape), grids[one])
                sums.covariances[one, other] = sums.covariances.get((one, other), 0.0) + covariance

    @cached_property
    def _pairs(self) -> tuple[tuple[Term, Term], ...]:
        """The pairs of terms that some figure is made of."""
        pairs = [
            (one, other)
            for figure in self.figures
            for i, one in enumerate(figure.terms)
            for other in figure.terms[i:]
        ]
        return tuple(dict.fromkeys(pairs))

    def _read_sums(self, release: Release, grids: dict[Term, Grid]) -> dict[Term, Floats]:
        """Each term's sums, with one query for all measures of one grid and one cuboid."""
        terms_by_query: dict[tuple[int, str], list[Term]] = {}
        for term, grid in grids.items():
            self.cuboids[term] = grid.cuboid_for(release.measures[term.measure])
            terms_by_query.setdefault((id(grid), self.cuboids[term]), []).append(term)
        sums: dict[Term, Floats] = {}
        for (_, cuboid), terms in terms_by_query.items():
            grid, names = grids[terms[0]], tuple(dict.fromkeys(term.measure for term in terms))
            if self.dry_run:
                sums |= {term: np.zeros(grid.shape) for term in terms}
            else:
                values = release.serving_copy.values(self.con, grid, cuboid, names, self.deadline)
                sums |= {term: values[term.measure] for term in terms}
        return sums

    def cuboid_of(self, figure: Figure) -> str:
        """The cuboid, or the cuboids, that a figure is read from."""
        return " and ".join(dict.fromkeys(self.cuboids[term] for term in figure.terms))

    @property
    def _selected_codes(self) -> dict[str, tuple[str, ...]]:
        """The codes of each level that the question groups or filters by, without those that it filters out."""
        levels, filters = self.releases[-1].codebook.levels, dict(self.question.filters)
        return {
            name: tuple(code for code in levels[name].index if code in filters.get(name, levels[name].index))
            for name in dict.fromkeys((*self.question.group_by, *filters))
        }

    def _bounding(self, measure: str) -> dict[str, Any]:
        """How contributions to a measure were bounded, in the newest release and in each of the earlier ones."""
        *earlier, newest = (release.bounding(measure, self._selected_codes) for release in self.releases)
        names = [release.name for release in self.releases[:-1]]
        return {**newest, "earlier": dict(zip(names, earlier, strict=True))}

    def _meta(self, page: dict[str, Any]) -> dict[str, Any]:
        names = [release.name for release in self.releases]
        newest = self.releases[-1].manifest
        measures = dict.fromkeys(term.measure for term in self._terms)
        return {
            "dataset": self.question.dataset,
            "releases": names,
            "query": self.question.canonical(),
            "query_id": self.question.id(names),
            "cuboid": {figure.name: self.cuboid_of(figure) for figure in self.figures},
            "uncertainty": {
                "mechanism": newest.privacy.mechanism,
                "confidence": self.question.confidence,
                "covers": COVERS,
                "status": STATUS,
            },
            "bounding": {name: self._bounding(name) for name in measures},
            "page": page,
            "warnings": warnings(self.figures, self.releases),
        }


def _output_order(grid: Grid, question: Question, *, by_day: bool) -> list[int]:
    """The permutation of the grid's grouped dimensions that puts the day first (if asked), then the groups as asked."""
    codebook = grid.codebook
    grouped = [
        at for at, selection in enumerate(grid.selections) if selection and selection.groups is not None
    ]
    days = [at for at in grouped if codebook.dimensions[at].levels[0].unknown is None] if by_day else []
    wanted = [*days, *(codebook.places[name][0] for name in question.group_by)]
    return [grouped.index(at) for at in wanted]


def _row_labels(grid: Grid, question: Question) -> list[list[tuple[str, ...]]]:
    """Along each grouped level, the text of each code."""
    labels = []
    for name in question.group_by:
        selection = grid.selections[grid.codebook.places[name][0]]
        assert selection is not None
        assert selection.groups is not None
        entries = grid.codebook.levels[name].codes
        labels.append([_code_texts(entries[position], question.labels) for position in selection.groups])
    return labels


def _code_texts(entry: CodeEntry, labels: str) -> tuple[str, ...]:
    return {"code": (entry.code,), "name": (entry.label,), "both": (entry.code, entry.label)}[labels]
