"""Generates synthetic events from a seed, in chunks, shaped after public figures, with heavy tails per unit.

A statistical generator is sufficient, since it protects no real data. The same seed gives the same rows.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from datasets.definition import CodeList, Dataset
from datasets.period import Month
from datasets.pipeline.engine.columns import EventColumn, Kind, arrow_schema, event_columns
from datasets.pipeline.events.layout import staged_month
from datasets.pipeline.events.shape import ConditionalWeights, EventShape, Weights
from datasets.pipeline.events.shapes import SHAPES
from datasets.pipeline.events.source import EventSource
from datasets.refusal import Refusal

CHUNK = 1 << 17
ROWS_PER_FILE = 1 << 22
MAX_ROWS = 10**8

Positions = NDArray[np.int64]
Uniforms = NDArray[np.float64]

SOURCE = EventSource(
    format="synthetic",
    schema="synthetic events",
    unit="An invented account or recipient.",
    notes=("Synthetic events: they describe nobody, and follow public figures in outline only.",),
)


class BadRows(Refusal):
    """The requested number of rows is not possible."""


def generate_events(
    dataset: Dataset,
    month: Month,
    *,
    rows: int,
    seed: int,
    out: Path,
    replace: bool = False,
    on_progress: Callable[[int], None] = lambda rows: None,
) -> Path:
    """Write a month of synthetic events under `out`; returns its folder. `on_progress` is called with each chunk's rows.

    Raises BadRows and MonthExists.
    """
    if not 1 <= rows <= MAX_ROWS:
        raise BadRows(
            f"--rows {rows} is not possible; choose a number between 1 and {MAX_ROWS:,}",
            parameter="rows",
            value=str(rows),
        )
    schema = arrow_schema(event_columns(dataset))
    with staged_month(out, dataset, month, replace=replace) as staging:
        writer: pq.ParquetWriter | None = None
        for number, start in enumerate(range(0, rows, CHUNK)):
            if start % ROWS_PER_FILE == 0:
                if writer is not None:
                    writer.close()
                path = staging.events / f"part-{start // ROWS_PER_FILE:05d}.parquet"
                writer = pq.ParquetWriter(path, schema, compression="zstd")
            assert writer is not None
            size = min(CHUNK, rows - start)
            writer.write_table(_Chunk(dataset, month, seed, number, start, size, rows).table(schema))
            on_progress(size)
        if writer is not None:
            writer.close()
        SOURCE.write(staging.events)
    return out / dataset.name / str(month)


class _Chunk:
    """Consecutive rows, drawn from a random stream of their own, so they depend only on the seed and the chunk number."""

    def __init__(
        self, dataset: Dataset, month: Month, seed: int, number: int, start: int, size: int, rows: int
    ) -> None:
        self._dataset, self._month = dataset, month
        self._shape = SHAPES.get(dataset.name, EventShape())
        self._random = np.random.default_rng([seed, number])
        self._seed, self._start, self._size = seed, start, size
        self._units = self._draw_units(max(1, round(rows / self._shape.rows_per_unit)))
        self._positions: dict[str, Positions] = {}

    def table(self, schema: pa.Schema) -> pa.Table:
        for name in (*self._shape.units, *self._shape.rows):
            self._draw(name)
        return pa.table([self._column(column) for column in event_columns(self._dataset)], schema=schema)

    def _draw_units(self, number: int) -> Positions:
        """Ranks of units: the busiest share s of them has s^(1/tail) of all rows."""
        return (number * self._random.random(self._size) ** self._shape.tail).astype(np.int64)

    def _uniform_of_unit(self, purpose: int) -> Uniforms:
        """A uniform number that is the same in every row of a unit."""
        mixed = self._units.astype(np.uint64) + np.uint64((self._seed * 1_000_003 + purpose) % (1 << 62))
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):  # splitmix64
            mixed = (mixed + np.uint64(0x9E3779B97F4A7C15)) * np.uint64(factor)
            mixed ^= mixed >> np.uint64(shift)
        return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def _draw(self, name: str) -> Positions:
        """The position of each row's code at a level; a coarser level follows from the finest one."""
        if name not in self._positions:
            dimension = next(d for d in self._dataset.dimensions if name in {lv.name for lv in d.levels})
            codes = dimension.finest.codes
            assert isinstance(codes, CodeList)
            if name != dimension.finest.name:
                self._positions[name] = _parent_positions(codes)[self._draw(dimension.finest.name)]
            elif name in self._shape.units:
                purpose = list(self._shape.units).index(name) + 1
                self._positions[name] = _sample_positions(
                    self._uniform_of_unit(purpose), _cumulative_probabilities(codes, self._shape.units[name])
                )
            else:
                self._positions[name] = self._draw_rows(codes, self._shape.rows.get(name))
        return self._positions[name]

    def _draw_rows(self, codes: CodeList, weights: Weights | ConditionalWeights | None) -> Positions:
        uniform = self._random.random(self._size)
        if not isinstance(weights, ConditionalWeights):
            return _sample_positions(uniform, _cumulative_probabilities(codes, weights))
        before, level = self._draw(weights.level), self._level(weights.level)
        drawn = np.empty(self._size, dtype=np.int64)
        for position in np.unique(before):
            here = before == position
            given = weights.of.get(level.codes[position].code, weights.otherwise)
            drawn[here] = _sample_positions(uniform[here], _cumulative_probabilities(codes, given))
        return drawn

    def _level(self, name: str) -> CodeList:
        codes = next(level.codes for level in self._dataset.levels if level.name == name)
        assert isinstance(codes, CodeList)
        return codes

    def _column(self, column: EventColumn) -> pa.Array:  # noqa: PLR0911  one return for each kind
        match column.kind:
            case Kind.ID if column.name == "event_id":
                return _synthetic_ids("e", np.arange(self._start, self._start + self._size))
            case Kind.ID:
                return _synthetic_ids("u", self._units)
            case Kind.UNIT_KIND:
                kinds = (self._uniform_of_unit(0) < self._shape.organisations).astype(np.int8)
                return pa.DictionaryArray.from_arrays(pa.array(kinds), pa.array(column.codes))
            case Kind.MOMENT:
                return self._times()
            case Kind.CODE:
                positions = self._draw(column.name).astype(np.int16)
                return pa.DictionaryArray.from_arrays(pa.array(positions), pa.array(column.codes))
            case Kind.FLAG:
                return pa.array(self._random.random(self._size) < self._shape.flags.get(column.name, 0.1))
            case Kind.INTEGER:
                median, spread = self._shape.amounts.get(column.name, (10.0, 1.0))
                return pa.array(
                    np.rint(median * np.exp(spread * self._random.standard_normal(self._size))).astype(
                        np.int64
                    )
                )

    def _times(self) -> pa.Array:
        days = len(self._month.days)
        by_day = 1 + 0.15 * np.sin(np.arange(days) * 2 * np.pi / 7)
        day = _sample_positions(self._random.random(self._size), np.cumsum(by_day) / by_day.sum())
        second = self._random.integers(0, 86_400, self._size)
        start = np.datetime64(self._month.start.replace(tzinfo=None), "us")
        return pa.array(start + (day * 86_400 + second) * np.timedelta64(1_000_000, "us"))


def _synthetic_ids(letter: str, numbers: Positions) -> pa.Array:
    return pc.binary_join_element_wise(letter, pa.array(numbers).cast(pa.string()), "")


def _cumulative_probabilities(codes: CodeList, weights: Weights | None) -> Uniforms:
    """The cumulative probabilities of a list's codes; equal ones if there are no weights."""
    if weights is None:
        return np.arange(1, len(codes) + 1) / len(codes)
    unknown = set(weights) - set(codes.index)
    if unknown:
        raise ValueError(
            f"weights of {codes.name} name {', '.join(sorted(unknown))}, which are not in the list"
        )
    cumulated = np.cumsum([weights.get(code.code, 0.0) for code in codes])
    return np.asarray(cumulated / cumulated[-1])


def _sample_positions(uniform: Uniforms, cumulated: Uniforms) -> Positions:
    return np.minimum(np.searchsorted(cumulated, uniform, side="right"), len(cumulated) - 1)


def _parent_positions(codes: CodeList) -> Positions:
    assert codes.within is not None
    return np.array([codes.within.index[str(code.within)] for code in codes], dtype=np.int64)
