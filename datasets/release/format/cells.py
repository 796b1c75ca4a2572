"""The layout of `cells.parquet`: one row per cell of every published cuboid."""

from __future__ import annotations

import pyarrow as pa

from datasets.release.format.codebook import Codebook

CUBOID = "cuboid"


def standard_error(measure: str) -> str:
    """The name of the column that holds a measure's standard errors."""
    return f"{measure}_se"


def cells_schema(codebook: Codebook) -> pa.Schema:
    """The columns, in order: the cuboid's name, one per level (null where it is rolled up), two per measure.

    A measure's pair is null in cuboids that it does not publish. `day` is a date; other codes are text.
    """
    days = {level.name for d in codebook.dimensions for level in d.levels if level.unknown is None}
    return pa.schema(
        [
            (CUBOID, pa.string()),
            *((name, pa.date32() if name in days else pa.string()) for name in codebook.levels),
            *((name, pa.float64()) for m in codebook.measures for name in (m.name, standard_error(m.name))),
        ]
    )
