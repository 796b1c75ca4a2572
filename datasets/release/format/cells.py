"""The columns of `cells.parquet`, which holds one row for each cell of every published cuboid."""

from __future__ import annotations

import pyarrow as pa

from datasets.release.format.codebook import Codebook

CUBOID = "cuboid"


def standard_error(measure: str) -> str:
    """The name of the column that holds a measure's standard errors."""
    return f"{measure}_se"


def cells_schema(codebook: Codebook) -> pa.Schema:
    """The columns, in order: the cuboid's name, one per level (null if it is rolled up), two per measure.

    Both are null in cuboids that are not published of the measure. `day` is a date; other codes are text.
    """
    day = codebook.calendar.name
    return pa.schema(
        [
            (CUBOID, pa.string()),
            *((name, pa.date32() if name == day else pa.string()) for name in codebook.levels),
            *((name, pa.float64()) for m in codebook.measures for name in (m.name, standard_error(m.name))),
        ]
    )
