"""What earlier versions wrote, so that later ones go on reading it. Files here are never changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine

FIRST = Path(__file__).parent / "0.1.0"
"""Of version 0.1.0, with the signatures of `tests.datasets.release.small_release`:

- `ledger.sqlite.sql`, `ledger.postgresql.sql`: the tables of a ledger of 19 entries, with a correction, a void and an open
  reservation, which spent 3.352 rho on the twelve months 2025-03 to 2026-02, but no more than 3 on a calendar year.
- `ledger`: the same ledger as it was published.
- `manifest.json`, `manifest.jws`: a release of a small dataset.
"""
OPEN_RESERVATION = 19
FIRST_HEAD = "591127df1bb9abebf4168952cd2579f1c80a76c57455ac2828816b5beb0135bb"
"""The hash of the last entry, as version 0.1.0 computed it."""


def first_ledger(url: str) -> str:
    """Make the ledger of version 0.1.0 in an empty database; returns the address again."""
    if url.startswith("sqlite"):
        file = Path(url.removeprefix("sqlite:///"))
        file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file)) as con:
            con.executescript((FIRST / "ledger.sqlite.sql").read_text())
    else:
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql((FIRST / "ledger.postgresql.sql").read_text())
        engine.dispose()
    return url
