"""Every edit, deletion, insertion and reordering of events in the audit log is detected, with its position."""

from __future__ import annotations

import pytest

from auth.audit.chain import event_hash, witness_file
from auth.db.models import AuditEvent
from auth.settings import RegistrySettings
from tests.auth.audit.conftest import OTHER_COLUMNS, broken_position, stored_events
from tests.auth.conftest import NOW, ask, mandate


def test_an_untouched_audit_log_is_intact(seven_events):
    found = seven_events.audit.verify()
    assert (found.events, found.last, found.witnessed) == (7, NOW, 7)


@pytest.mark.parametrize("position", [1, 4, 7])
def test_an_edit_is_detected_at_its_position(seven_events, attacker, position):
    attacker(f"UPDATE audit_event SET reason = 'another' WHERE seq = {position}")
    assert broken_position(seven_events) == position


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'cli:nobody'",
        "act = 'token.shown'",
        "subject = 'tok_x'",
        "details = '{}'",
        "details = details || ' '",
        "at = '2026-07-01 12:00:00.000001+00'",
        "hash = previous",
    ],
)
def test_an_edit_of_any_column_is_detected(seven_events, attacker, change):
    attacker(f"UPDATE audit_event SET {change} WHERE seq = 4")
    assert broken_position(seven_events) == 4


def test_a_changed_link_is_detected_at_its_position(seven_events, attacker):
    attacker("UPDATE audit_event SET previous = hash WHERE seq = 4")
    assert broken_position(seven_events) == 4


@pytest.mark.parametrize("position", [1, 4, 6])
def test_a_deletion_is_detected_at_its_position(seven_events, attacker, position):
    attacker(f"DELETE FROM audit_event WHERE seq = {position}")
    assert broken_position(seven_events) == position


def test_a_deletion_is_detected_even_if_later_events_are_renumbered(seven_events, attacker):
    attacker(
        "DELETE FROM audit_event WHERE seq = 4",
        *(f"UPDATE audit_event SET seq = {seq - 1} WHERE seq = {seq}" for seq in (5, 6, 7)),
    )
    assert broken_position(seven_events) == 4


def test_an_insertion_is_detected_at_its_position(seven_events, attacker):
    attacker(
        *(f"UPDATE audit_event SET seq = {seq + 1} WHERE seq = {seq}" for seq in (7, 6, 5, 4)),
        f"INSERT INTO audit_event SELECT 4, {OTHER_COLUMNS} FROM audit_event WHERE seq = 3",
    )
    assert broken_position(seven_events) == 4


def test_two_swapped_events_are_detected(seven_events, attacker):
    attacker(
        "UPDATE audit_event SET seq = 100 WHERE seq = 4",
        "UPDATE audit_event SET seq = 4 WHERE seq = 5",
        "UPDATE audit_event SET seq = 5 WHERE seq = 100",
    )
    assert broken_position(seven_events) == 4


def test_deleting_the_last_events_is_detected(seven_events, attacker):
    attacker("DELETE FROM audit_event WHERE seq > 5")
    assert broken_position(seven_events) == 6


def test_deleting_the_last_events_is_detected_even_if_the_head_is_moved(seven_events, attacker):
    attacker(
        "DELETE FROM audit_event WHERE seq > 5",
        "UPDATE audit_head SET seq = 5, hash = (SELECT hash FROM audit_event WHERE seq = 5)",
    )
    assert broken_position(seven_events) == 5


def test_an_emptied_audit_log_is_detected(seven_events, attacker):
    attacker("DELETE FROM audit_event", "DELETE FROM audit_head")
    assert broken_position(seven_events) == 1


def test_a_deleted_head_is_detected(seven_events, attacker):
    attacker("DELETE FROM audit_head")
    assert broken_position(seven_events) == 7


def rewrite_event_4(settings: RegistrySettings) -> list[str]:
    """Statements that change event 4 and make every hash from there on fit."""
    statements, previous = [], None
    for columns in stored_events(settings):
        if isinstance(columns["at"], str):
            columns["at"] = NOW
        event = AuditEvent(**columns)
        if event.seq == 4:
            event.reason = "nothing to see"
        if event.seq >= 4:
            event.previous = previous or event.previous
            event.hash = previous = event_hash(event)
            statements.append(
                f"UPDATE audit_event SET reason = '{event.reason}', previous = '{event.previous}',"
                f" hash = '{event.hash}' WHERE seq = {event.seq}"
            )
    return statements


def test_a_chain_rewritten_with_correct_hashes_does_not_match_its_head(seven_events, attacker, settings):
    witness_file(settings.keys_dir).unlink()
    attacker(*rewrite_event_4(settings))
    assert broken_position(seven_events) == 7


def test_a_chain_rewritten_with_its_head_has_no_valid_signature(seven_events, attacker, settings):
    witness_file(settings.keys_dir).unlink()
    attacker(
        *rewrite_event_4(settings),
        "UPDATE audit_head SET hash = (SELECT hash FROM audit_event WHERE seq = 7)",
    )
    assert broken_position(seven_events) == 7


def test_events_added_after_the_head_are_detected(seven_events, attacker, settings):
    previous, statements = str(stored_events(settings)[-1]["hash"]), []
    for seq in (8, 9):
        columns = {"actor": "x", "act": "x", "subject": "x", "reason": "x", "details": "{}"}
        forged = event_hash(AuditEvent(seq=seq, at=NOW, previous=previous, **columns))
        statements.append(
            f"INSERT INTO audit_event VALUES ({seq}, '2026-07-01 12:00:00.000000+00',"
            f" 'x', 'x', 'x', 'x', '{{}}', '{previous}', '{forged}')"
        )
        previous = forged
    attacker(*statements)
    assert broken_position(seven_events) == 8


def test_a_long_audit_log_is_verified_page_by_page(seven_events, attacker, monkeypatch):
    monkeypatch.setattr("auth.audit.verification.PAGE", 2)
    assert seven_events.audit.verify().events == 7
    attacker("UPDATE audit_event SET reason = 'x' WHERE seq = 6")
    assert broken_position(seven_events) == 6


def test_the_audit_log_is_intact_after_its_key_was_rotated(seven_events):
    seven_events.keys.rotate("audit", mandate())
    seven_events.tokens.issue(ask(), mandate())
    assert seven_events.audit.verify().events == 9
