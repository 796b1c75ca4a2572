"""Every change is recorded in the audit log, in the same transaction, and the database refuses to change an event."""

from __future__ import annotations

import json
from threading import Thread

import pytest
from sqlalchemy.exc import DatabaseError

from auth.errors import ChainBroken, KeyUnusable, NotAllowed
from auth.registry import open_registry
from tests.auth.audit.conftest import OTHER_COLUMNS, broken_position, stored_events
from tests.auth.conftest import ask, mandate, new_member, new_project


def test_every_event_has_its_actor_and_its_reason(seven_events, settings):
    events = stored_events(settings)
    assert [event["act"] for event in events] == [
        "registry.made",
        "project.created",
        "member.added",
        "token.issued",
        "token.issued",
        "token.issued",
        "token.revoked",
    ]
    assert {event["actor"] for event in events} == {"cli:tester"}
    assert events[-1]["reason"] == "left on a train"


def test_the_audit_log_names_no_person_and_contains_no_token(seven_events, settings):
    issued = seven_events.tokens.issue(ask(), mandate())
    text = json.dumps([list(map(str, event.values())) for event in stored_events(settings)])
    assert "ann@" not in text.lower()
    assert "ann example" not in text.lower()
    assert issued.text.split(".")[2] not in text


def test_a_refused_change_leaves_neither_a_row_nor_an_event(seven_events, settings):
    before = stored_events(settings)
    for _ in range(2):
        with pytest.raises(NotAllowed):
            seven_events.projects.create(new_project(), mandate())
        with pytest.raises(NotAllowed):
            seven_events.projects.add_member(new_member(name="Another Name"), mandate())
    assert stored_events(settings) == before
    assert len(seven_events.projects.list()) == 1


def test_a_change_whose_event_cannot_be_written_is_rolled_back(seven_events, settings):
    """No audit, no act."""
    audit_key = next(
        key for key in seven_events.keys.list() if (key.purpose, key.status) == ("audit", "active")
    )
    (settings.keys_dir / f"{audit_key.kid}.pem").unlink()
    with pytest.raises(KeyUnusable):
        seven_events.projects.create(new_project("REQ-2"), mandate())
    assert [project.reference for project in seven_events.projects.list()] == ["REQ-1"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET reason = 'x' WHERE seq = 3",
        "UPDATE audit_event SET seq = 100 WHERE seq = 3",
        "DELETE FROM audit_event WHERE seq = 7",
        "DELETE FROM audit_event",
        f"INSERT INTO audit_event SELECT 9, {OTHER_COLUMNS} FROM audit_event WHERE seq = 3",
        f"INSERT INTO audit_event SELECT 0, {OTHER_COLUMNS} FROM audit_event WHERE seq = 3",
    ],
)
def test_the_database_itself_refuses_to_change_an_event(seven_events, attacker, statement):
    with pytest.raises(DatabaseError, match="audit events are"):
        attacker(statement, past_triggers=False)
    assert seven_events.audit.verify().events == 7


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_sqlite_refuses_to_replace_an_event(seven_events, attacker):
    with pytest.raises(DatabaseError, match="added at the end"):
        attacker(
            f"INSERT OR REPLACE INTO audit_event SELECT 3, {OTHER_COLUMNS} FROM audit_event WHERE seq = 4",
            past_triggers=False,
        )


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_postgresql_refuses_to_truncate_the_audit_log(seven_events, attacker):
    with pytest.raises(DatabaseError, match="audit events are never"):
        attacker("TRUNCATE audit_event", past_triggers=False)


def test_no_change_is_made_on_top_of_a_damaged_audit_log(seven_events, attacker):
    attacker("DELETE FROM audit_event WHERE seq > 5")
    with pytest.raises(ChainBroken):
        seven_events.tokens.issue(ask(), mandate())
    assert broken_position(seven_events) == 6, "and the damage is not signed over"


def test_concurrent_changes_of_several_registries_make_one_chain(populated, settings):
    failures: list[Exception] = []

    def act(number: int) -> None:
        own = open_registry(settings)
        try:
            for _ in range(5):
                own.tokens.issue(ask(label=f"thread {number}"), mandate())
        except Exception as failure:  # noqa: BLE001 - raised below, in the test's own thread
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
