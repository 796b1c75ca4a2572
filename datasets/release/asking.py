"""One question being answered: period by period, from one release or several, with what the answer rests on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb
import numpy as np

from datasets.period import Month
from datasets.privacy.axis import Floats
from datasets.release.answer import Answer, Measured, columns_of, in_order, rows_of
from datasets.release.codebook import CodeEntry
from datasets.release.grid import Grid, grid_of
from datasets.release.manifest import Manifest
from datasets.release.opened import Release
from datasets.release.question import Question
from datasets.release.shelf import Deadline
from datasets.release.uncertainty import COVERS, STATUS


@dataclass
class Asking:
    """One question being answered."""

    con: duckdb.DuckDBPyConnection
    question: Question
    releases: tuple[Release, ...]
    deadline: Deadline
    dry: bool = False
    """Nothing is read: every value is zero, and only the errors mean something."""
    cuboids: dict[str, str] = field(default_factory=dict)

    def answer(self) -> Answer:
        rows: list[tuple[Any, ...]] = []
        for label, codes, measured in self._periods():
            rows += rows_of(label, codes, measured, self.question.confidence)
        columns = columns_of(self.question)
        total, rows = len(rows), in_order(rows, columns, self.question.sort)[: self.question.limit]
        return Answer(columns, rows, self._meta(len(rows), total))

    def plan(self) -> dict[str, Any]:
        periods = [measured for _, _, measured in self._periods()]
        names = [release.name for release in self.releases]
        errors = {name: [measured[name].errors for measured in periods] for name in self.question.measures}
        return {
            "dataset": self.question.dataset,
            "releases": names,
            "query": self.question.canonical(),
            "query_id": self.question.id(names),
            "rows": sum(measured[self.question.measures[0]].errors.size for measured in periods),
            "measures": {
                name: {
                    "cuboid": self.cuboids[name],
                    "standard_error": {
                        "least": min(float(e.min()) for e in found),
                        "most": max(float(e.max()) for e in found),
                    },
                }
                for name, found in errors.items()
            },
        }

    def _periods(self) -> Iterator[tuple[str, list[list[tuple[str, ...]]], dict[str, Measured]]]:
        """For each row period its label, the codes along each grouped level, and each measure."""
        by_month = {Month.parse(release.manifest.month): release for release in self.releases}
        if self.question.span.freq == "day":
            for month, days in self.question.span.by_month():
                codes, measured = self._grid(by_month[month], days, by_day=True)
                for at, day in enumerate(days):
                    yield day.isoformat(), codes, {name: _at(m, at) for name, m in measured.items()}
        else:
            for period in self.question.periods:
                parts = [self._grid(by_month[month], days, by_day=False) for month, days in period.parts]
                yield period.label, parts[0][0], _added([measured for _, measured in parts])

    def _grid(
        self, release: Release, days: tuple[date, ...], *, by_day: bool
    ) -> tuple[list[list[tuple[str, ...]]], dict[str, Measured]]:
        """The codes along each grouped level, and each measure; the day is the first dimension where `by_day`."""
        grid = grid_of(self.question, release.codebook, days, by_day=by_day)
        by_cuboid: dict[str, list[str]] = {}
        for name in self.question.measures:
            by_cuboid.setdefault(grid.cuboid(release.measures[name]), []).append(name)
        order = _order(grid, self.question, by_day=by_day)
        measured: dict[str, Measured] = {}
        for cuboid, names in by_cuboid.items():
            values = self._values(release, grid, cuboid, tuple(names))
            for name in names:
                self.cuboids[name] = cuboid
                square = release.measures[name].variance(grid.factors).reshape(values[name].shape)
                error = np.sqrt(square).transpose(order)
                unknown = np.broadcast_to(_uncollected(grid, release.manifest, name), values[name].shape)
                measured[name] = Measured(values[name].transpose(order), error, unknown.transpose(order))
        return _codes(grid, self.question), {name: measured[name] for name in self.question.measures}

    def _values(self, release: Release, grid: Grid, cuboid: str, names: tuple[str, ...]) -> dict[str, Floats]:
        if self.dry:
            return {name: np.zeros(grid.shape) for name in names}
        return release.shelf.values(self.con, grid, cuboid, names, self.deadline)

    def _meta(self, returned: int, total: int) -> dict[str, Any]:
        names = [release.name for release in self.releases]
        newest = self.releases[-1].manifest
        return {
            "dataset": self.question.dataset,
            "releases": names,
            "query": self.question.canonical(),
            "query_id": self.question.id(names),
            "cuboid": {name: self.cuboids[name] for name in self.question.measures},
            "uncertainty": {
                "mechanism": newest.privacy.mechanism,
                "confidence": self.question.confidence,
                "covers": COVERS,
                "status": STATUS,
            },
            "bounding": {name: _bounding(newest, name) for name in self.question.measures},
            "page": {"returned": returned, "total": total, "truncated": returned < total, "next": None},
            "warnings": [note for release in self.releases for note in release.manifest.source.notes],
        }


def _bounding(manifest: Manifest, name: str) -> dict[str, Any]:
    entry = manifest.by_measure[name]
    kept = entry.kept
    return {
        "rows_per_unit": entry.rows_per_unit,
        "kept": None
        if kept is None
        else {"against_rows_per_unit": kept.rows_per_unit, **kept.overall.model_dump()},
    }


def _grouped(grid: Grid) -> list[int]:
    return [at for at, asked in enumerate(grid.asked) if asked is not None and asked.groups is not None]


def _order(grid: Grid, question: Question, *, by_day: bool) -> list[int]:
    """How the grid's dimensions, in the dataset's order, become the day (if asked) and then the order asked."""
    places, along = grid.codebook.places, _grouped(grid)
    days = [at for at in along if grid.codebook.dimensions[at].levels[0].unknown is None] if by_day else []
    wanted = [*days, *(places[name][0] for name in question.group_by)]
    return [along.index(at) for at in wanted]


def _codes(grid: Grid, question: Question) -> list[list[tuple[str, ...]]]:
    codes = []
    for name in question.group_by:
        asked = grid.asked[grid.codebook.places[name][0]]
        assert asked is not None
        assert asked.groups is not None
        entries = grid.codebook.levels[name].codes
        codes.append([_said(entries[position], question.labels) for position in asked.groups])
    return codes


def _said(entry: CodeEntry, labels: str) -> tuple[str, ...]:
    return {"code": (entry.code,), "name": (entry.label,), "both": (entry.code, entry.label)}[labels]


def _uncollected(grid: Grid, manifest: Manifest, measure: str) -> np.ndarray:
    """Which output cells ask a level that the source does not know, other than by its code for the unknown."""
    entry = grid.codebook.measure(measure)
    missing = set(manifest.source.not_collected_values)
    marked = np.zeros((), dtype=np.bool_) | (entry.where in missing) | (entry.value in missing)
    for dimension, asked in zip(grid.codebook.dimensions, grid.asked, strict=True):
        if asked is None:
            continue
        level = dimension.levels[asked.level - 1]
        if level.name in manifest.source.not_collected and level.unknown is not None:
            cells = asked.weights[:, level.index[level.unknown]] == 0
        else:
            cells = np.zeros(len(asked.weights), dtype=np.bool_)
        marked = np.logical_or.outer(marked, cells) if asked.groups is not None else marked | cells[0]
    return np.asarray(marked)


def _at(measured: Measured, at: int) -> Measured:
    return Measured(measured.values[at], measured.errors[at], measured.uncollected[at])


def _added(parts: list[dict[str, Measured]]) -> dict[str, Measured]:
    """The sum over parts of a period; noise of different releases is independent, so variances add."""
    if len(parts) == 1:
        return parts[0]
    return {
        name: Measured(
            np.sum([part[name].values for part in parts], axis=0),
            np.sqrt(np.sum([part[name].errors ** 2 for part in parts], axis=0)),
            np.any([part[name].uncollected for part in parts], axis=0),
        )
        for name in parts[0]
    }
