"""The DuckDB connection of a build: bounded memory, spilling only into a private folder."""

from __future__ import annotations

from pathlib import Path

import duckdb

MEMORY = "1536MiB"
"""DuckDB's memory limit; together with the rest of the process, a build of any size stays below 4 GiB."""


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """A connection with two threads; data that does not fit into memory is spilled under `folder`, which is private."""
    con = duckdb.connect(
        config={"threads": 2, "memory_limit": MEMORY, "temp_directory": str(folder / "spilled")}
    )
    con.execute(
        "SET preserve_insertion_order = false"
    )  # sums do not depend on order, and preserving it costs memory
    con.execute("SET enable_progress_bar = false")  # it would draw a progress bar on any terminal
    return con
