"""Sessions of admins: accepted until they end or are closed, on both databases."""

from datetime import timedelta

import pytest

from auth.errors import MalformedValue, NotAllowed, TokenRefused
from tests.auth.admins.conftest import open_session
from tests.auth.conftest import NOW, ask, mandate, new_member, new_project


def test_a_session_is_accepted_until_it_ends(registry, owner):
    text = open_session(registry, minutes=10).text
    found = registry.sessions.principal(text, NOW)
    assert (found.admin, found.role, found.expires) == (owner.id, "owner", NOW + timedelta(minutes=10))
    with pytest.raises(TokenRefused, match="not valid") as refused:
        registry.sessions.principal(text, NOW + timedelta(minutes=10))
    assert refused.value.cause == "expired"


def test_a_token_is_not_accepted_as_a_session_nor_a_session_as_a_token(registry, owner):
    registry.projects.create(new_project(), mandate())
    registry.projects.add_member(new_member(), mandate())
    token, session = registry.tokens.issue(ask(), mandate()).text, open_session(registry).text
    for look_up, text in ((registry.sessions.principal, token), (registry.authenticator.principal, session)):
        with pytest.raises(TokenRefused) as refused:
            look_up(text, NOW)
        assert refused.value.cause == "claims: another audience"


def test_a_closed_session_and_the_session_of_an_ended_admin_are_refused(registry, owner):
    first, second = open_session(registry), open_session(registry)
    registry.sessions.close(first.token_id, mandate())
    with pytest.raises(TokenRefused) as refused:
        registry.sessions.principal(first.text, NOW)
    assert refused.value.cause == "session: closed"
    assert registry.sessions.principal(second.text, NOW)
    registry.admins.end("owner@example.org", mandate())
    with pytest.raises(TokenRefused) as refused:
        registry.sessions.principal(second.text, NOW)
    assert refused.value.cause == "admin: not one now"
    with pytest.raises(NotAllowed, match="no longer an admin"):
        open_session(registry)


@pytest.mark.parametrize("minutes", [0, -1, 721])
def test_a_session_lasts_a_minute_to_twelve_hours(registry, owner, minutes):
    with pytest.raises(MalformedValue, match="minutes"):
        open_session(registry, minutes)
