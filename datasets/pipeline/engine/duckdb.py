"""The workbench: DuckDB with bounded memory, which spills into a private folder and nowhere else."""

from __future__ import annotations

from pathlib import Path

import duckdb

MEMORY = "1536MiB"
"""With what the process holds beside it, a build of any size stays below 4 GiB."""


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """A connection that works with two threads; what does not fit into memory goes under `folder`, which is private."""
    con = duckdb.connect(
        config={"threads": 2, "memory_limit": MEMORY, "temp_directory": str(folder / "spilled")}
    )
    con.execute("SET preserve_insertion_order = false")  # sums have no order, and keeping one costs memory
    con.execute("SET enable_progress_bar = false")  # it would draw how far a query has come on any terminal
    return con
