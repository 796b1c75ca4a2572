"""LedgerStore on SQLite and PostgreSQL: append-only, with one writer at a time."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from datasets.pipeline.state import ledger_store
from datasets.pipeline.state.ledger_store import LedgerStore, LedgerUnavailable
from datasets.privacy.ledger import BudgetSpent, Caps, LedgerBroken, Spend, ensure_chain
from tests.postgresql import database_url

NOW = datetime(2026, 7, 1, tzinfo=UTC)
TENTH = Spend("moderation", "2026-06", "person", "actions 20", 10**8, "0" * 64)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'private' / 'ledger.sqlite'}"
    return database_url(request.getfixturevalue("postgresql").make())


@pytest.fixture
def store(url):
    opened = LedgerStore(url)
    yield opened
    opened.close()


def test_a_reservation_persists_after_the_ledger_is_opened_again(store, url):
    entry = store.reserve(TENTH, now=NOW)
    store.commit(entry, now=NOW, input_hash="i", release="2026-06.1", artefact_hash="a")
    again = LedgerStore(url)
    assert again.entries() == store.entries()
    assert [one.state for one in again.entries()] == ["reserved", "committed"]
    ensure_chain(again.entries(), again.caps)
    again.close()


def test_a_refused_spend_leaves_no_entry(store):
    store.reserve(TENTH, now=NOW)
    with pytest.raises(BudgetSpent):
        store.reserve(replace(TENTH, dataset="ads", nano_rho=5 * 10**8), now=NOW)
    assert len(store.entries()) == 1


@pytest.mark.parametrize(
    "statement", ["UPDATE privacy_ledger SET nano_rho = 1", "DELETE FROM privacy_ledger"]
)
def test_the_database_refuses_to_change_an_entry(store, url, statement):
    store.reserve(TENTH, now=NOW)
    before = store.entries()
    engine = create_engine(url)
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as con:
        con.execute(text(statement))
    engine.dispose()
    assert store.entries() == before


def test_a_change_that_bypasses_the_triggers_is_found(store, url):
    store.reserve(TENTH, now=NOW)
    store.reserve(replace(TENTH, dataset="ads"), now=NOW)
    engine = create_engine(url)
    with engine.begin() as con:
        if con.dialect.name == "sqlite":
            con.execute(text("DROP TRIGGER privacy_ledger_update"))
        else:
            con.execute(text("ALTER TABLE privacy_ledger DISABLE TRIGGER USER"))
        con.execute(text("UPDATE privacy_ledger SET nano_rho = 1 WHERE seq = 1"))
    engine.dispose()
    with pytest.raises(LedgerBroken):
        ensure_chain(store.entries(), store.caps)
    with pytest.raises(LedgerBroken):
        store.reserve(replace(TENTH, dataset="recommendations"), now=NOW)


def test_many_builders_at_once_never_spend_more_than_the_cap(url):
    """Twenty ask for a tenth each, where five tenths are allowed: five get it, in one unbroken chain."""
    LedgerStore(url).close()

    def ask(number):
        store = LedgerStore(url, Caps(month=Fraction(1, 2)))
        try:
            store.reserve(replace(TENTH, dataset=f"d{number}"), now=NOW)
        except BudgetSpent:
            return False
        else:
            return True
        finally:
            store.close()

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(ask, range(20))) == 5
    store = LedgerStore(url)
    ensure_chain(store.entries(), store.caps)
    store.close()


def test_concurrent_first_uses_create_one_table(url):
    with ThreadPoolExecutor(6) as threads:
        for store in threads.map(lambda _: LedgerStore(url), range(6)):
            assert store.entries() == ()
            store.close()


def test_a_first_use_waits_for_another_process_that_writes_to_the_new_file(tmp_path, monkeypatch):
    writer = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    writer.execute("CREATE TABLE other (x)")
    writer.execute("BEGIN IMMEDIATE")
    refused = []

    def end_the_writer(_seconds):  # called between two attempts, so the first was refused
        refused.append(writer.execute("COMMIT"))

    monkeypatch.setattr(ledger_store, "sleep", end_the_writer)
    store = LedgerStore(f"sqlite:///{tmp_path}/ledger.sqlite")
    assert store.entries() == ()
    assert len(refused) == 1
    store.close()
    writer.close()


def test_a_ledger_that_no_waiting_can_mend_is_refused_at_the_first_attempt(tmp_path, monkeypatch):
    (tmp_path / "ledger.sqlite-journal").mkdir()  # SQLite cannot open its journal: CANTOPEN, not BUSY
    monkeypatch.setattr(ledger_store, "sleep", lambda _: pytest.fail("it was tried again"))
    with pytest.raises(LedgerUnavailable, match="cannot be used"):
        LedgerStore(f"sqlite:///{tmp_path}/ledger.sqlite")


@pytest.mark.parametrize(
    "address",
    [
        "mysql://h/d",
        "nonsense",
        "",
        "postgresql+psycopg://postgres:hunter2@127.0.0.1:1/none?connect_timeout=2",
    ],
)
def test_an_unusable_ledger_is_refused_without_its_address_in_the_message(address):
    with pytest.raises(LedgerUnavailable) as caught:
        LedgerStore(address)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_ledger_file_that_is_not_a_database_is_refused(tmp_path):
    (tmp_path / "ledger.sqlite").write_text("not a database, though it is named like one")
    with pytest.raises(LedgerUnavailable, match="cannot be used"):
        LedgerStore(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
