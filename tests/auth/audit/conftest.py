"""A registry with seven events in its audit log, and what tests read of it."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from auth.errors import ChainBroken
from auth.registry import Registry
from auth.settings import RegistrySettings
from tests.auth.conftest import ask, mandate

OTHER_COLUMNS = "at, actor, act, subject, reason, details, previous, hash"
"""Every column of an event except its number."""


@pytest.fixture
def seven_events(populated: Registry) -> Registry:
    """A registry with seven events: made, project, member, three tokens, one revoked."""
    for _ in range(3):
        issued = populated.tokens.issue(ask(), mandate())
    populated.tokens.revoke(issued.token_id, mandate(reason="left on a train"))
    return populated


def stored_events(settings: RegistrySettings) -> list[dict[str, object]]:
    engine = create_engine(settings.registry_url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM audit_event ORDER BY seq")).mappings().all()
    engine.dispose()
    return [dict(event) for event in found]


def broken_position(registry: Registry) -> int:
    with pytest.raises(ChainBroken) as broken:
        registry.audit.verify()
    assert broken.value.sentence.startswith("audit: ")
    return broken.value.position
