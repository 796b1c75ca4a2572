"""The audit tells every act, and nobody can change what it told without being found."""

from __future__ import annotations

import json
import shutil
from threading import Thread

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DatabaseError

from auth.audit.log import event_hash, witness_file
from auth.db.engine import POOL_SIZE
from auth.db.models import AuditEvent
from auth.errors import ChainBroken, KeyUnusable, NotAllowed
from auth.registry import Registry, open_registry
from auth.settings import RegistrySettings
from tests.auth.conftest import NOW, ask, mandate, new_member, new_project

REST = "at, actor, act, subject, reason, details, previous, hash"
"""Every column of an event but its number."""


@pytest.fixture
def told(populated: Registry) -> Registry:
    """A registry with seven events: made, project, member, three tokens, one revoked."""
    for _ in range(3):
        issued = populated.tokens.issue(ask(), mandate())
    populated.tokens.revoke(issued.token_id, mandate(reason="left on a train"))
    return populated


def events(settings: RegistrySettings) -> list[dict[str, object]]:
    engine = create_engine(settings.registry_url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM audit_event ORDER BY seq")).mappings().all()
    engine.dispose()
    return [dict(event) for event in found]


def broken_at(registry: Registry) -> int:
    with pytest.raises(ChainBroken) as broken:
        registry.audit.verify()
    assert broken.value.sentence.startswith("audit: ")
    return broken.value.position


def test_an_audit_that_was_left_alone_is_whole(told):
    found = told.audit.verify()
    assert (found.events, found.last, found.witnessed) == (7, NOW, 7)


def test_every_act_stands_with_its_actor_and_its_reason(told, settings):
    said = events(settings)
    assert [event["act"] for event in said] == [
        "registry.made",
        "project.created",
        "member.added",
        "token.issued",
        "token.issued",
        "token.issued",
        "token.revoked",
    ]
    assert {event["actor"] for event in said} == {"cli:tester"}
    assert said[-1]["reason"] == "left on a train"


def test_the_audit_names_no_person_and_holds_no_token(told, settings):
    issued = told.tokens.issue(ask(), mandate())
    said = json.dumps([list(map(str, event.values())) for event in events(settings)])
    assert "ann@" not in said.lower()
    assert "ann example" not in said.lower()
    assert issued.text.split(".")[2] not in said


def test_an_act_that_is_refused_leaves_neither_a_row_nor_an_event(told, settings):
    before = events(settings)
    for _ in range(2):
        with pytest.raises(NotAllowed):
            told.projects.create(new_project(), mandate())
        with pytest.raises(NotAllowed):
            told.projects.add_member(new_member(name="Another Name"), mandate())
    assert events(settings) == before
    assert len(told.projects.list()) == 1


def test_an_act_whose_event_cannot_be_written_is_not_done(told, settings):
    """No audit, no act."""
    audit_key = next(key for key in told.keys.list() if (key.purpose, key.status) == ("audit", "active"))
    (settings.keys_dir / f"{audit_key.kid}.pem").unlink()
    with pytest.raises(KeyUnusable):
        told.projects.create(new_project("REQ-2"), mandate())
    assert [project.reference for project in told.projects.list()] == ["REQ-1"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET reason = 'x' WHERE seq = 3",
        "UPDATE audit_event SET seq = 100 WHERE seq = 3",
        "DELETE FROM audit_event WHERE seq = 7",
        "DELETE FROM audit_event",
        f"INSERT INTO audit_event SELECT 9, {REST} FROM audit_event WHERE seq = 3",
        f"INSERT INTO audit_event SELECT 0, {REST} FROM audit_event WHERE seq = 3",
    ],
)
def test_the_database_itself_refuses_to_change_an_event(told, attacker, statement):
    with pytest.raises(DatabaseError, match="audit events are"):
        attacker(statement, past_triggers=False)
    assert told.audit.verify().events == 7


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_sqlite_refuses_to_replace_an_event(told, attacker):
    with pytest.raises(DatabaseError, match="added at the end"):
        attacker(
            f"INSERT OR REPLACE INTO audit_event SELECT 3, {REST} FROM audit_event WHERE seq = 4",
            past_triggers=False,
        )


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_postgresql_refuses_to_truncate_the_audit(told, attacker):
    with pytest.raises(DatabaseError, match="audit events are never"):
        attacker("TRUNCATE audit_event", past_triggers=False)


@pytest.mark.parametrize("position", [1, 4, 7])
def test_an_edit_is_found_where_it_was_made(told, attacker, position):
    attacker(f"UPDATE audit_event SET reason = 'another' WHERE seq = {position}")
    assert broken_at(told) == position


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
def test_an_edit_of_any_column_is_found(told, attacker, change):
    attacker(f"UPDATE audit_event SET {change} WHERE seq = 4")
    assert broken_at(told) == 4


def test_a_changed_link_is_found_where_it_was_made(told, attacker):
    attacker("UPDATE audit_event SET previous = hash WHERE seq = 4")
    assert broken_at(told) == 4


@pytest.mark.parametrize("position", [1, 4, 6])
def test_a_deletion_is_found_where_it_was_made(told, attacker, position):
    attacker(f"DELETE FROM audit_event WHERE seq = {position}")
    assert broken_at(told) == position


def test_a_deletion_that_renumbers_the_rest_is_found_where_it_was_made(told, attacker):
    attacker(
        "DELETE FROM audit_event WHERE seq = 4",
        *(f"UPDATE audit_event SET seq = {seq - 1} WHERE seq = {seq}" for seq in (5, 6, 7)),
    )
    assert broken_at(told) == 4


def test_an_insertion_is_found_where_it_was_made(told, attacker):
    attacker(
        *(f"UPDATE audit_event SET seq = {seq + 1} WHERE seq = {seq}" for seq in (7, 6, 5, 4)),
        f"INSERT INTO audit_event SELECT 4, {REST} FROM audit_event WHERE seq = 3",
    )
    assert broken_at(told) == 4


def test_two_events_that_change_places_are_found(told, attacker):
    attacker(
        "UPDATE audit_event SET seq = 100 WHERE seq = 4",
        "UPDATE audit_event SET seq = 4 WHERE seq = 5",
        "UPDATE audit_event SET seq = 5 WHERE seq = 100",
    )
    assert broken_at(told) == 4


def test_a_tail_that_was_cut_is_found(told, attacker):
    attacker("DELETE FROM audit_event WHERE seq > 5")
    assert broken_at(told) == 6


def test_a_tail_that_was_cut_with_its_head_moved_is_found(told, attacker):
    attacker(
        "DELETE FROM audit_event WHERE seq > 5",
        "UPDATE audit_head SET seq = 5, hash = (SELECT hash FROM audit_event WHERE seq = 5)",
    )
    assert broken_at(told) == 5


def test_a_tail_that_was_cut_down_to_an_older_signed_head_is_found_by_the_witness(
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
    assert broken_at(populated) == seq + 1


def test_an_audit_that_was_emptied_is_found(told, attacker):
    attacker("DELETE FROM audit_event", "DELETE FROM audit_head")
    assert broken_at(told) == 1


def test_a_head_that_was_deleted_is_found(told, attacker):
    attacker("DELETE FROM audit_head")
    assert broken_at(told) == 7


def rewrite(settings: RegistrySettings) -> list[str]:
    """Statements that change event 4 and make every hash from there on fit."""
    statements, previous = [], None
    for said in events(settings):
        if isinstance(said["at"], str):
            said["at"] = NOW
        event = AuditEvent(**said)
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


def test_a_chain_that_was_rewritten_with_fitting_hashes_does_not_fit_its_head(told, attacker, settings):
    witness_file(settings.keys_dir).unlink()
    attacker(*rewrite(settings))
    assert broken_at(told) == 7


def test_a_chain_that_was_rewritten_with_its_head_lacks_the_signature(told, attacker, settings):
    witness_file(settings.keys_dir).unlink()
    attacker(*rewrite(settings), "UPDATE audit_head SET hash = (SELECT hash FROM audit_event WHERE seq = 7)")
    assert broken_at(told) == 7


def test_events_added_past_the_head_are_found(told, attacker, settings):
    previous, statements = str(events(settings)[-1]["hash"]), []
    for seq in (8, 9):
        said = {"actor": "x", "act": "x", "subject": "x", "reason": "x", "details": "{}"}
        forged = event_hash(AuditEvent(seq=seq, at=NOW, previous=previous, **said))
        statements.append(
            f"INSERT INTO audit_event VALUES ({seq}, '2026-07-01 12:00:00.000000+00',"
            f" 'x', 'x', 'x', 'x', '{{}}', '{previous}', '{forged}')"
        )
        previous = forged
    attacker(*statements)
    assert broken_at(told) == 8


def test_nothing_is_done_on_top_of_an_audit_that_was_cut(told, attacker):
    attacker("DELETE FROM audit_event WHERE seq > 5")
    with pytest.raises(ChainBroken):
        told.tokens.issue(ask(), mandate())
    assert broken_at(told) == 6, "and the damage is not signed over"


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_an_older_copy_of_the_registry_is_found_by_the_witness(told, settings):
    told.close()
    file = settings.home / "registry.sqlite"
    shutil.copy(file, settings.home / "old")
    told.tokens.issue(ask(), mandate())
    told.close()
    for left_over in settings.home.glob("registry.sqlite*"):
        left_over.unlink()
    shutil.copy(settings.home / "old", file)
    assert broken_at(told) == 8


def test_an_event_that_is_not_the_one_this_host_saw_is_found(told, settings):
    witness_file(settings.keys_dir).write_text('{"hash":"another","seq":5}')
    assert broken_at(told) == 5


def test_an_audit_that_was_emptied_is_found_without_a_witness_too(told, attacker, settings):
    attacker("DELETE FROM audit_event", "DELETE FROM audit_head")
    witness_file(settings.keys_dir).unlink()
    assert broken_at(told) == 1


def test_a_long_audit_is_followed_page_by_page(told, attacker, monkeypatch):
    monkeypatch.setattr("auth.audit.verification._PAGE", 2)
    assert told.audit.verify().events == 7
    attacker("UPDATE audit_event SET reason = 'x' WHERE seq = 6")
    assert broken_at(told) == 6


def test_an_export_in_pages_ends_where_it_began_whatever_is_done_meanwhile(told, monkeypatch):
    before = list(told.audit.export())
    monkeypatch.setattr("auth.audit.export.PAGE", 2)
    lines = told.audit.export()
    found = [next(lines)]
    told.audit.record_release_event("release.withdrawn", "moderation/2026-06.1", mandate())
    found += lines
    assert found == before
    assert [line["seq"] for line in told.audit.export(3)] == [*range(4, len(before) + 1), len(before)]
    assert len({line["hash"] for line in told.audit.export() if "hash" in line}) == len(before)


def test_readers_who_stall_hold_no_connection(told):
    readers = [told.audit.export() for _ in range(3 * POOL_SIZE)]
    first = [next(reader) for reader in readers]
    told.audit.record_release_event("release.withdrawn", "moderation/2026-06.1", mandate())
    events = told.audit.verify().events - 1  # as they were when the readers began
    assert {len(list(reader)) for reader in readers} == {events}, "all but the first, and the head"
    assert {line["seq"] for line in first} == {1}


def test_an_act_is_not_lost_where_its_witness_cannot_be_written(told, settings, monkeypatch, caplog):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("auth.audit.transaction.write_witness", full)
    issued = told.tokens.issue(ask(), mandate())
    assert told.authenticator.principal(issued.text, NOW) and "No space left" in caplog.text
    assert told.audit.verify().witnessed == 7


def test_a_host_without_a_witness_still_verifies_the_chain(told, settings):
    witness_file(settings.keys_dir).unlink()
    assert told.audit.verify().witnessed == 0


def test_a_witness_that_cannot_be_read_is_said(told, settings):
    witness_file(settings.keys_dir).write_text("{")
    with pytest.raises(ChainBroken, match="witness"):
        told.audit.verify()


def test_the_audit_verifies_after_its_key_was_rotated(told):
    told.keys.rotate("audit", mandate())
    told.tokens.issue(ask(), mandate())
    assert told.audit.verify().events == 9


def test_acts_of_several_processes_at_once_make_one_chain(populated, settings):
    failures: list[Exception] = []

    def act(number: int) -> None:
        own = open_registry(settings)
        try:
            for _ in range(5):
                own.tokens.issue(ask(label=f"thread {number}"), mandate())
        except Exception as failure:  # noqa: BLE001 - told below, in the test's own thread
            failures.append(failure)
        finally:
            own.close()

    threads = [Thread(target=act, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert populated.audit.verify().events == 3 + 20
