"""The audit log is exported in pages, without holding a connection between them."""

from __future__ import annotations

from auth.db.engine import POOL_SIZE
from tests.auth.conftest import mandate


def test_an_export_in_pages_has_no_events_that_were_added_after_it_began(seven_events, monkeypatch):
    before = list(seven_events.audit.export())
    monkeypatch.setattr("auth.audit.export.PAGE", 2)
    lines = seven_events.audit.export()
    found = [next(lines)]
    seven_events.audit.record_release_event("release.withdrawn", "moderation/2026-06.1", mandate())
    found += lines
    assert found == before
    assert [line["seq"] for line in seven_events.audit.export(3)] == [*range(4, len(before) + 1), len(before)]
    assert len({line["hash"] for line in seven_events.audit.export() if "hash" in line}) == len(before)


def test_slow_readers_hold_no_connection(seven_events):
    readers = [seven_events.audit.export() for _ in range(3 * POOL_SIZE)]
    first = [next(reader) for reader in readers]
    seven_events.audit.record_release_event("release.withdrawn", "moderation/2026-06.1", mandate())
    events = seven_events.audit.verify().events - 1  # as they were when the readers began
    assert {len(list(reader)) for reader in readers} == {events}, "all but the first, and the head"
    assert {line["seq"] for line in first} == {1}
