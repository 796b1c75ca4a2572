"""Writes noisy cells as Parquet: one row per cell of every published cuboid, one row group per cuboid."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from datasets.definition import Cuboid, Dataset, Level
from datasets.period import Month
from datasets.pipeline.measurement.noise import NoisyCells
from datasets.pipeline.planning.budget import Budget
from datasets.pipeline.planning.standard_errors import standard_errors
from datasets.privacy.axis import Axis, axes_of


def write_cells(path: Path, schema: pa.Schema, budget: Budget, cells: NoisyCells) -> int:
    """Write the cells and return their number, which depends only on the declaration and the calendar.

    `schema` is that of the released file (`datasets.release.format.cells`). Statistics are written for the column `cuboid`
    only: a reader needs them to find a row group, and the footer stays small.
    """
    rows = 0
    options = {
        "compression": "zstd",
        "write_statistics": ["cuboid"],
        "use_dictionary": _dictionary_columns(schema),
    }
    with pq.ParquetWriter(path, schema, **options) as writer:
        for cuboid in budget.cuboids:
            table = cuboid_table(schema, budget, cells, cuboid)
            writer.write_table(table, row_group_size=max(table.num_rows, 1))
            rows += table.num_rows
    return rows


def _dictionary_columns(schema: pa.Schema) -> list[str]:
    return [f.name for f in schema if f.type != pa.float64() or f.name.endswith("_se")]


def cuboid_table(schema: pa.Schema, budget: Budget, cells: NoisyCells, cuboid: Cuboid) -> pa.Table:
    """The rows of one cuboid, in the order of the code lists."""
    dataset, month = budget.dataset, budget.month
    axes = axes_of(dataset, month)
    size = prod(axis.size(level) for axis, level in zip(axes, cuboid, strict=True))
    columns: dict[str, pa.Array] = {"cuboid": pa.repeat(dataset.cuboid_name(cuboid), size)}
    columns.update(_code_columns(dataset, month, axes, cuboid, size))
    columns.update(_measure_columns(budget, cells, cuboid, size))
    return pa.table({f.name: columns[f.name].cast(f.type) for f in schema}, schema=schema)


def _code_columns(
    dataset: Dataset, month: Month, axes: tuple[Axis, ...], cuboid: Cuboid, size: int
) -> Iterator[tuple[str, pa.Array]]:
    repeats = size
    for dimension, axis, asked in zip(dataset.dimensions, axes, cuboid, strict=True):
        repeats //= axis.size(asked)
        positions = np.arange(size) // repeats % axis.size(asked)
        for depth in range(len(dimension.levels), 0, -1):
            level = dimension.levels[depth - 1]
            if depth > asked:
                yield level.name, pa.nulls(size, pa.string())
            else:
                yield level.name, _code_array(level, month, axis.ancestors(asked, depth)[positions])


def _code_array(level: Level, month: Month, positions: NDArray[np.int64]) -> pa.Array:
    texts = pa.array([code.code for code in level.codes.in_month(month)])
    return pa.DictionaryArray.from_arrays(pa.array(positions.astype(np.int32)), texts)


def _measure_columns(
    budget: Budget, cells: NoisyCells, cuboid: Cuboid, size: int
) -> Iterator[tuple[str, pa.Array]]:
    for name, tables in cells.measures.items():
        if cuboid in tables:
            yield name, pa.array(tables[cuboid].values.ravel())
            yield f"{name}_se", pa.array(standard_errors(budget, name, cuboid).ravel())
        else:
            yield name, pa.nulls(size, pa.float64())
            yield f"{name}_se", pa.nulls(size, pa.float64())
