"""LedgerStore: the privacy ledger in an append-only table, on SQLite or PostgreSQL.

The rules are in `datasets.privacy.ledger`. They are applied inside the transaction that appends an entry, so that two
builders cannot both spend the rest of a budget. Triggers reject updates and deletions.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.schema import CreateColumn

from datasets.pipeline.state.failpoints import failpoint
from datasets.pipeline.state.lock import SessionLock, file_lock
from datasets.privacy import ledger
from datasets.privacy.ledger import Caps, Entry, Spend
from datasets.refusal import Refusal

_WAIT = 5
"""Seconds for which a connection waits for another writer of an SQLite ledger."""

_metadata = MetaData()
_entry_table = Table(
    "privacy_ledger",
    _metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("previous", String(64), nullable=False, unique=True),
    Column("time", String(40), nullable=False),
    Column("state", String(10), nullable=False),
    Column("of", Integer, unique=True),
    Column("dataset", String(40), nullable=False),
    Column("month", String(7), nullable=False),
    Column("unit", String, nullable=False),
    Column("rows_per_unit", String, nullable=False),
    Column("nano_rho", BigInteger, nullable=False),
    Column("plan_hash", String(64), nullable=False),
    Column("input_hash", String(64), nullable=False),
    Column("release", String(20), nullable=False),
    Column("artefact_hash", String(64), nullable=False),
    Column("reason", String, nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("unit_class", String(30), nullable=False, server_default=""),
    Column("role", String, nullable=False, server_default=""),
    Column("organisation_nano_rho", BigInteger, nullable=False, server_default="0"),
)
_name_table = Table("privacy_ledger_name", _metadata, Column("name", String(32), primary_key=True))

_GUARDS = {
    "sqlite": [
        f"CREATE TRIGGER privacy_ledger_{act.lower()} BEFORE {act} ON privacy_ledger "
        "BEGIN SELECT RAISE(ABORT, 'the privacy ledger is append-only'); END"
        for act in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION privacy_ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the privacy ledger is append-only'; END $$",
        "CREATE TRIGGER privacy_ledger_guard BEFORE UPDATE OR DELETE OR TRUNCATE ON privacy_ledger "
        "FOR EACH STATEMENT EXECUTE FUNCTION privacy_ledger_refuse()",
    ],
}
_LOCK = 0x6461796C  # PostgreSQL's advisory lock for the chain; the number is arbitrary and ours


class LedgerUnavailable(Refusal):
    """The ledger cannot be read or written; nothing can be built without it."""


class LedgerStore:
    """The ledger of a deployment. Each write is one exclusive transaction."""

    def __init__(self, url: str, caps: Caps | None = None) -> None:
        self.caps = caps or Caps()
        self._engine = _create_ledger_engine(url)
        with self._write_transaction() as con:
            if not inspect(con).has_table(_entry_table.name):
                _metadata.create_all(con)
                for statement in _GUARDS[con.dialect.name]:
                    con.execute(text(statement))
            else:
                _add_missing_columns(con)
            _name_table.create(con, checkfirst=True)
            self.name = con.scalar(select(_name_table.c.name)) or _create_name(con)
        self._session: SessionLock | None = None

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def builder_lock(self) -> Iterator[None]:
        """Hold the lock of this ledger's builders; it is released when the process ends for whatever reason.

        Raises BuildUnderWay if another builder holds it, on this host or another.
        """
        if self._engine.dialect.name == "sqlite":
            # resolved, so that a ledger and a symbolic link to it have one lock
            with file_lock(Path(f"{Path(str(self._engine.url.database)).resolve()}.lock")):
                yield
        else:
            with _database_errors_as_refusals():
                session = SessionLock(self._engine)
            with closing(session):
                with _database_errors_as_refusals():
                    session.take()
                self._session = session
                try:
                    yield
                finally:
                    self._session = None

    def ensure_lock_held(self) -> None:
        """Raises LockLost if the lock that `builder_lock` took was lost."""
        if self._session is not None:
            self._session.ensure_held()

    def entries(self) -> tuple[Entry, ...]:
        """The chain, from the first entry to the head. Raises LedgerUnavailable."""
        with _database_errors_as_refusals(), self._engine.connect() as con:
            return _read_entries(con)

    def reserve(self, spend: Spend, *, now: datetime, reason: str = "") -> Entry:
        """Reserve a spend. Raises BudgetSpent if the caps do not allow it, LedgerBroken if the chain of hashes is broken."""

        def rule(entries: tuple[Entry, ...]) -> Entry:
            ledger.ensure_chain(entries, self.caps)
            return ledger.reserve(entries, spend, caps=self.caps, time=ledger.day_of(now), reason=reason)

        return self._append(rule)

    def commit(
        self, reserved: Entry, *, now: datetime, input_hash: str, release: str, artefact_hash: str
    ) -> Entry:
        """Append that a reserved spend was published as `release`."""
        return self._append(
            lambda entries: ledger.commit(
                entries,
                reserved,
                time=ledger.day_of(now),
                input_hash=input_hash,
                release=release,
                artefact_hash=artefact_hash,
            )
        )

    def void(self, reserved: Entry, *, now: datetime, reason: str) -> Entry:
        """Append that no release was made from a reserved spend; it stays counted."""
        return self._append(
            lambda entries: ledger.void(entries, reserved, time=ledger.day_of(now), reason=reason)
        )

    def _append(self, rule: Callable[[tuple[Entry, ...]], Entry]) -> Entry:
        with self._write_transaction() as con:
            entry = rule(_read_entries(con))
            con.execute(insert(_entry_table).values(**asdict(entry), hash=entry.hash))
            failpoint(f"{entry.state}, before the ledger keeps it")
        failpoint(f"{entry.state}, in the ledger")
        return entry

    @contextmanager
    def _write_transaction(self) -> Iterator[Connection]:
        with _database_errors_as_refusals(), self._engine.begin() as con:
            if con.dialect.name == "postgresql":
                con.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield con


def _add_missing_columns(con: Connection) -> None:
    """Add the columns that a table of an earlier version lacks, with the defaults that leave its entries as they are.

    It is a part of the caller's exclusive transaction: another builder that opens the ledger waits for it, and a failure
    half-way leaves the table as it was. The triggers stay; a new column is neither an update nor a deletion.
    """
    there = {column["name"] for column in inspect(con).get_columns(_entry_table.name)}
    for column in _entry_table.columns:
        if column.name not in there:
            definition = CreateColumn(column).compile(dialect=con.dialect)
            con.execute(text(f"ALTER TABLE {_entry_table.name} ADD COLUMN {definition}"))
            failpoint(f"column {column.name} added to the ledger")


def _create_name(con: Connection) -> str:
    """Give the ledger a random name, by which builders tell it from other ledgers."""
    name = secrets.token_hex(16)
    con.execute(insert(_name_table).values(name=name))
    return name


def _read_entries(con: Connection) -> tuple[Entry, ...]:
    rows = con.execute(select(*(c for c in _entry_table.c if c.name != "hash")).order_by(_entry_table.c.seq))
    return tuple(Entry(**row) for row in rows.mappings())


def _create_ledger_engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise LedgerUnavailable(
            "the ledger's address cannot be parsed; write sqlite:///PATH or postgresql+psycopg://USER@HOST/DATABASE into "
            "DAYLIGHT_LEDGER_URL",
            parameter="ledger_url",
        ) from None
    if parsed.get_backend_name() not in _GUARDS:
        raise LedgerUnavailable(
            f"the ledger's address names {parsed.get_backend_name()!r}; it may be sqlite or postgresql",
            parameter="ledger_url",
        )
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(parsed, hide_parameters=True, pool_pre_ping=True)
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _configure_ledger_connection)
        event.listen(engine, "begin", lambda con: con.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _configure_ledger_connection(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's own BEGIN, above, is the only one
    for pragma in (f"busy_timeout={_WAIT * 1000}", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    _use_write_ahead_log(connection)


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Raises sqlite3.OperationalError if others write to the ledger for seconds.

    Unlike a statement, the change of the journal does not wait for a writer: SQLite refuses it at once.
    """
    give_up = monotonic() + _WAIT
    while monotonic() < give_up:
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode=WAL")
            return
        sleep(0.02)
    connection.execute("PRAGMA journal_mode=WAL")


@contextmanager
def _database_errors_as_refusals() -> Iterator[None]:
    """Raise LedgerUnavailable instead of a database error, without the address and the statement that the error contains."""
    try:
        yield
    except DBAPIError as error:
        raise LedgerUnavailable(
            f"the privacy ledger cannot be used ({type(error.orig).__name__}); without it nothing can be built. "
            "Check DAYLIGHT_LEDGER_URL, the disk and the permissions.",
            parameter="ledger_url",
        ) from error
