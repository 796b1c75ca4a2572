"""The witness file detects what the database alone cannot: an older state of the audit log with a valid signature."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import create_engine, text

from auth.audit.chain import witness_file
from auth.errors import ChainBroken
from tests.auth.audit.conftest import broken_position
from tests.auth.conftest import NOW, ask, mandate


def test_the_witness_detects_that_the_last_events_were_deleted_and_an_older_signed_head_restored(
    populated, attacker, settings
):
    engine = create_engine(settings.registry_url)
    with engine.connect() as connection:
        seq, hash_, signature = connection.execute(text("SELECT seq, hash, signature FROM audit_head")).one()
    engine.dispose()
    populated.tokens.issue(ask(), mandate())
    attacker(
        f"DELETE FROM audit_event WHERE seq > {seq}",
        f"UPDATE audit_head SET seq = {seq}, hash = '{hash_}', signature = '{signature}'",
    )
    assert broken_position(populated) == seq + 1


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_the_witness_detects_an_older_copy_of_the_registry(seven_events, settings):
    seven_events.close()
    file = settings.home / "registry.sqlite"
    shutil.copy(file, settings.home / "old")
    seven_events.tokens.issue(ask(), mandate())
    seven_events.close()
    for left_over in settings.home.glob("registry.sqlite*"):
        left_over.unlink()
    shutil.copy(settings.home / "old", file)
    assert broken_position(seven_events) == 8


def test_the_witness_detects_an_event_with_another_hash(seven_events, settings):
    witness_file(settings.keys_dir).write_text('{"hash":"another","seq":5}')
    assert broken_position(seven_events) == 5


def test_an_emptied_audit_log_is_detected_even_without_a_witness(seven_events, attacker, settings):
    attacker("DELETE FROM audit_event", "DELETE FROM audit_head")
    witness_file(settings.keys_dir).unlink()
    assert broken_position(seven_events) == 1


def test_a_committed_change_is_returned_even_if_its_witness_cannot_be_written(
    seven_events, settings, monkeypatch, caplog
):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("auth.audit.transaction.write_witness", full)
    issued = seven_events.tokens.issue(ask(), mandate())
    assert seven_events.authenticator.principal(issued.text, NOW) and "No space left" in caplog.text
    assert seven_events.audit.verify().witnessed == 7


def test_a_host_without_a_witness_still_verifies_the_chain(seven_events, settings):
    witness_file(settings.keys_dir).unlink()
    assert seven_events.audit.verify().witnessed == 0


def test_an_unreadable_witness_is_refused(seven_events, settings):
    witness_file(settings.keys_dir).write_text("{")
    with pytest.raises(ChainBroken, match="witness"):
        seven_events.audit.verify()
