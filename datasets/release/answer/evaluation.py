"""One question being answered: period by period, from one release or several, with what the answer rests on."""

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
from datasets.release.query.expressions import Figure, Term, figures_of
from datasets.release.query.question import Question
from datasets.release.query.span import Days

Parts = dict[Term, tuple[tuple[Month, Days], ...]]


@dataclass
class Sums:
    """What some terms add up to, cell by cell: values, what of them was not collected, covariances of pairs of terms."""

    values: dict[Term, Floats] = field(default_factory=dict)
    absent: dict[Term, NDArray[np.bool_]] = field(default_factory=dict)
    covariances: dict[tuple[Term, Term], Floats] = field(default_factory=dict)

    def of(self, figure: Figure, z: float) -> FigureValues:
        terms = figure.terms
        values = np.stack([self.values[term] for term in terms])
        covariance = np.empty((len(terms), *values.shape))
        for i, one in enumerate(terms):
            for j in range(i, len(terms)):
                covariance[i, j] = covariance[j, i] = self.covariances.get((one, terms[j]), 0.0)
        absent = np.any([self.absent[term] for term in terms], axis=0)
        return FigureValues(figure.formula.estimate(values, covariance, z), absent)


@dataclass
class Evaluation:
    """One question being answered."""

    con: duckdb.DuckDBPyConnection
    question: Question
    releases: tuple[Release, ...]
    deadline: Deadline
    cursors: Cursors
    dry_run: bool = False
    """Nothing is read: every value is zero, and only the errors mean something."""
    cuboids: dict[Term, str] = field(default_factory=dict)

    def result(self) -> Result:
        columns, data = build_table(self.question, list(self.blocks()))
        order = row_order(columns, data, self.question.sort)
        start = self._start(order)
        shown = order[start : start + self.question.limit] if self.question.limit else order[start:]
        more = start + len(shown) < len(order)
        following = self.cursors.write(self._pages, int(shown[-1])) if more else None
        page = {"returned": len(shown), "total": len(order), "truncated": more, "next": following}
        return Result(columns, select_rows(data, shown), self._meta(page))

    @property
    def _pages(self) -> str:
        return self.question.id_of_pages([release.name for release in self.releases])

    def _start(self, order: NDArray[np.int64]) -> int:
        """How many rows the pages before this one had. Raises CursorRefused."""
        if self.question.cursor is None:
            return 0
        last = self.cursors.read(self.question.cursor, self._pages)
        return int(np.flatnonzero(order == last)[0]) + 1

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        return figures_of(self.question, self.releases[-1].codebook)

    @cached_property
    def _terms(self) -> tuple[Term, ...]:
        return tuple(dict.fromkeys(term for figure in self.figures for term in figure.terms))

    def blocks(self) -> Iterator[RowBlock]:
        """The rows, period by period."""
        z = NormalDist().inv_cdf((1 + self.question.confidence) / 2)
        for labels, parts in self._periods():
            sums, codes = self._sums(parts)
            yield RowBlock(labels, codes, {figure.name: sums.of(figure, z) for figure in self.figures})

    def _periods(self) -> Iterator[tuple[tuple[str, ...], Parts]]:
        """What each block of rows is called, and which days of which month each term adds up."""
        if self.question.is_by_day:
            for part in self.question.span.by_month():
                yield tuple(day.isoformat() for day in part[1]), dict.fromkeys(self._terms, (part,))
            return
        for period in self.question.periods:
            yield (
                (period.label,),
                {term: tuple(term.span.by_month()) if term.span else period.parts for term in self._terms},
            )

    def _sums(self, parts: Parts) -> tuple[Sums, list[list[tuple[str, ...]]]]:
        """Noise of different releases is independent: over months, values and covariances add."""
        by_month = {Month.parse(release.manifest.month): release for release in self.releases}
        sums, codes = Sums(), None
        for month in sorted({month for each in parts.values() for month, _ in each}):
            days = {term: found for term, each in parts.items() for at, found in each if at == month}
            grids = self._add(sums, by_month[month], days)
            codes = codes or _codes(grids[0], self.question)
        return sums, codes or []

    def _add(self, sums: Sums, release: Release, days: dict[Term, Days]) -> list[Grid]:
        """Add what one release says of the terms that it is asked about."""
        by_day, question = self.question.is_by_day, self.question
        made: dict[tuple[object, Days], Grid] = {}
        for term, when in days.items():
            if (term.within, when) not in made:
                made[term.within, when] = build_grid(
                    question, release.codebook, when, by_day=by_day, within=term.within
                )
        grids = {term: made[term.within, when] for term, when in days.items()}
        order = _order(next(iter(grids.values())), question, by_day=by_day)

        def laid(table: NDArray[Any], grid: Grid) -> NDArray[Any]:
            return np.broadcast_to(table, grid.shape).transpose(order).ravel()

        for term, table in self._read(release, grids).items():
            grid = grids[term]
            absent = laid(not_collected(grid, release.manifest, term.measure), grid)
            sums.values[term] = sums.values.get(term, 0.0) + laid(table, grid)
            sums.absent[term] = sums.absent.get(term, False) | absent
        for pair in self._pairs:
            if pair[0] in grids and pair[1] in grids:
                left, right = (release.measures[term.measure] for term in pair)
                found = left.covariance(grids[pair[0]].factors, right, grids[pair[1]].factors)
                sums.covariances[pair] = sums.covariances.get(pair, 0.0) + laid(
                    found.reshape(grids[pair[0]].shape), grids[pair[0]]
                )
        return list(grids.values())

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

    def _read(self, release: Release, grids: dict[Term, Grid]) -> dict[Term, Floats]:
        """Each term's sums, with one query for all measures of one grid and one cuboid. Raises NotPublished."""
        together: dict[tuple[int, str], list[Term]] = {}
        for term, grid in grids.items():
            self.cuboids[term] = grid.cuboid_for(release.measures[term.measure])
            together.setdefault((id(grid), self.cuboids[term]), []).append(term)
        found: dict[Term, Floats] = {}
        for (_, cuboid), terms in together.items():
            grid, names = grids[terms[0]], tuple(dict.fromkeys(term.measure for term in terms))
            if self.dry_run:
                found |= {term: np.zeros(grid.shape) for term in terms}
            else:
                values = release.serving_copy.values(self.con, grid, cuboid, names, self.deadline)
                found |= {term: values[term.measure] for term in terms}
        return found

    def cuboid_of(self, figure: Figure) -> str:
        """The cuboid, or the cuboids, that a figure is read from."""
        return " and ".join(dict.fromkeys(self.cuboids[term] for term in figure.terms))

    @property
    def _codes_asked(self) -> dict[str, tuple[str, ...]]:
        """The codes that the question lets through, of each level that it groups or filters by."""
        levels, filters = self.releases[-1].codebook.levels, dict(self.question.filters)
        return {
            name: tuple(code for code in levels[name].index if code in filters.get(name, levels[name].index))
            for name in dict.fromkeys((*self.question.group_by, *filters))
        }

    def _bounding(self, measure: str) -> dict[str, Any]:
        """What bounding did to a measure in the newest release that is asked, and in each of the earlier ones."""
        *earlier, newest = (release.bounding(measure, self._codes_asked) for release in self.releases)
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


def _grouped(grid: Grid) -> list[int]:
    return [at for at, asked in enumerate(grid.selections) if asked is not None and asked.groups is not None]


def _order(grid: Grid, question: Question, *, by_day: bool) -> list[int]:
    """How the grid's dimensions, in the dataset's order, become the day (if asked) and then the order asked."""
    places, along = grid.codebook.places, _grouped(grid)
    days = [at for at in along if grid.codebook.dimensions[at].levels[0].unknown is None] if by_day else []
    wanted = [*days, *(places[name][0] for name in question.group_by)]
    return [along.index(at) for at in wanted]


def _codes(grid: Grid, question: Question) -> list[list[tuple[str, ...]]]:
    codes = []
    for name in question.group_by:
        asked = grid.selections[grid.codebook.places[name][0]]
        assert asked is not None
        assert asked.groups is not None
        entries = grid.codebook.levels[name].codes
        codes.append([_said(entries[position], question.labels) for position in asked.groups])
    return codes


def _said(entry: CodeEntry, labels: str) -> tuple[str, ...]:
    return {"code": (entry.code,), "name": (entry.label,), "both": (entry.code, entry.label)}[labels]
