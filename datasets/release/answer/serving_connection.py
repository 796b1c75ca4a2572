"""The connection to DuckDB on which questions are answered: it can read serving copies, and no other file."""

from __future__ import annotations

from pathlib import Path

import duckdb

from datasets.release.answer.copy_source import escape_path


def open_serving_connection(cache: Path) -> duckdb.DuckDBPyConnection:
    """A connection in memory that may open files in `cache` only, whatever a query or a view asks for.

    Results that do not fit into memory are not written to a disk, extensions are not loaded, and no setting can be changed
    any more. DuckDB cannot make a folder read-only: a `COPY ... TO` into `cache` would work, so no text of a client is ever
    part of a query. Several threads use the connection through cursors; a query has one thread, since more threads than
    cores are slower.
    """
    con = duckdb.connect(config={"threads": 1, "temp_directory": ""})
    # in this order: DuckDB refuses the first once the second is set
    con.execute(f"SET allowed_directories = ['{escape_path(cache.resolve())}']")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con
