"""A ledger that version 0.1.0 wrote is extended in place, on SQLite and PostgreSQL; its entries stay as they were."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from datasets.pipeline.state.failpoints import armed_failpoints
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.privacy.ledger import PERSON, BudgetSpent, Spend, ensure_chain, open_reservations
from tests.datasets.pipeline.interruptions import kill_self
from tests.frozen import FIRST_HEAD, OPEN_RESERVATION, first_ledger
from tests.postgresql import database_url

NOW = datetime(2026, 4, 1, tzinfo=UTC)
NEW = {"unit_class", "role", "organisation_nano_rho"}
SPEND = Spend("ads", "2026-08", "person, a recipient", "", 10**8, "0" * 64, PERSON, "a recipient", 10**7)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """The address of a ledger as version 0.1.0 left it."""
    if request.param == "sqlite":
        return first_ledger(f"sqlite:///{tmp_path / 'private' / 'ledger.sqlite'}")
    return first_ledger(database_url(request.getfixturevalue("postgresql").make()))


@pytest.fixture
def rows(url: str) -> Iterator[Any]:
    """Reads the table as any client of the database does: a list of dictionaries."""
    engine = create_engine(url)

    def read() -> list[dict[str, Any]]:
        with engine.connect() as con:
            found = con.execute(text("SELECT * FROM privacy_ledger ORDER BY seq")).mappings()
            return [dict(row) for row in found]

    yield read
    engine.dispose()


def test_every_entry_of_an_earlier_version_is_as_it_was_and_new_ones_follow(url: str, rows: Any) -> None:
    before = rows()
    store = LedgerStore(url)
    entries = store.entries()
    ensure_chain(entries, store.caps)
    assert entries[-1].hash == FIRST_HEAD
    assert [entry.hash for entry in entries] == [row["hash"] for row in before]
    assert [{name: row[name] for name in row if name not in NEW} for row in rows()] == before
    assert {(row["unit_class"], row["role"], row["organisation_nano_rho"]) for row in rows()} == {("", "", 0)}
    made = store.reserve(SPEND, now=NOW)
    store.commit(made, now=NOW, input_hash="i", release="2026-08.1", artefact_hash="a")
    assert [(e.unit_class, e.role, e.organisation_nano_rho) for e in store.entries()[-2:]] == [
        (PERSON, "a recipient", 10**7), (PERSON, "a recipient", 0),
    ]  # fmt: skip
    ensure_chain(store.entries(), store.caps)
    store.close()


def test_an_open_reservation_of_an_earlier_version_is_closed_by_this_one(url: str) -> None:
    store = LedgerStore(url)
    (left,) = open_reservations(store.entries())
    assert left.seq == OPEN_RESERVATION
    store.void(left, now=NOW, reason="the build ended without a release")
    assert open_reservations(store.entries()) == ()
    ensure_chain(store.entries(), store.caps)
    store.close()


def test_spends_of_an_earlier_version_count_in_the_twelve_months_of_a_new_one(url: str) -> None:
    store = LedgerStore(url)
    with pytest.raises(
        BudgetSpent,
        match="the twelve months 2025-07 to 2026-06 may cost a person over all datasets 3.352 are",
    ):
        store.reserve(replace(SPEND, month="2026-06"), now=NOW)
    store.reserve(replace(SPEND, month="2026-12"), now=NOW)
    store.close()


def test_the_database_still_refuses_to_change_an_entry(url: str, rows: Any) -> None:
    LedgerStore(url).close()
    before, engine = rows(), create_engine(url)
    for statement in ("UPDATE privacy_ledger SET role = 'x'", "DELETE FROM privacy_ledger"):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as con:
            con.execute(text(statement))
    engine.dispose()
    assert rows() == before


def test_builders_that_open_it_at_once_extend_it_once(url: str) -> None:
    with ThreadPoolExecutor(6) as threads:
        for store in threads.map(lambda _: LedgerStore(url), range(6)):
            assert store.entries()[-1].hash == FIRST_HEAD
            store.close()


@pytest.mark.parametrize("column", sorted(NEW))
def test_a_kill_half_way_leaves_the_table_as_it_was_and_the_next_opening_extends_it(
    url: str, rows: Any, column: str
) -> None:
    before = rows()

    def kill_after(place: str) -> None:
        if column in place:
            kill_self()

    child = os.fork()
    if child == 0:
        with armed_failpoints(kill_after):
            try:
                LedgerStore(url)
            finally:
                os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert rows() == before
    store = LedgerStore(url)
    assert store.entries()[-1].hash == FIRST_HEAD
    store.close()


def test_a_new_ledger_and_an_extended_one_have_the_same_columns(url: str, tmp_path: Any) -> None:
    def columns(address: str) -> dict[str, tuple[str, bool]]:
        LedgerStore(address).close()
        engine = create_engine(address)
        found = inspect(engine).get_columns("privacy_ledger")
        engine.dispose()
        return {each["name"]: (str(each["type"]), each["nullable"]) for each in found}

    extended = columns(url)
    assert set(extended) >= NEW
    if url.startswith("sqlite"):
        assert extended == columns(f"sqlite:///{tmp_path / 'new.sqlite'}")
