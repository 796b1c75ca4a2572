"""Admins: let in for a while by who holds the host, under one role, and out from the next request on; on both databases."""

from datetime import timedelta

import pytest

from auth.admins.roles import ROLES, ROLES_WITH_RIGHT, RoleTooSmall, ensure_has_right
from auth.audit.log import Mandate
from auth.db import migrate
from auth.db.engine import open_engine, parse_registry_url, write_transaction
from auth.errors import MalformedValue, NotAllowed, TokenRefused, UnknownRecord
from auth.registry import open_registry
from tests.auth.conftest import NOW, ask, mandate, new_member, new_project

WITHDRAWAL = "moderation/2026-06.1"


@pytest.fixture
def owner(registry):
    return registry.admins.add("An Owner", "owner@example.org", "owner", mandate())


def opened(registry, minutes=30):
    return registry.sessions.open("owner@example.org", minutes, mandate())


def test_an_admin_is_let_in_until_the_session_ends(registry, owner):
    text = opened(registry, minutes=10).text
    found = registry.sessions.principal(text, NOW)
    assert (found.admin, found.role, found.expires) == (owner.id, "owner", NOW + timedelta(minutes=10))
    with pytest.raises(TokenRefused, match="not valid") as refused:
        registry.sessions.principal(text, NOW + timedelta(minutes=10))
    assert refused.value.cause == "expired"


def test_sessions_and_tokens_are_not_each_others(registry, owner):
    registry.projects.create(new_project(), mandate())
    registry.projects.add_member(new_member(), mandate())
    token, session = registry.tokens.issue(ask(), mandate()).text, opened(registry).text
    for look_up, text in ((registry.sessions.principal, token), (registry.authenticator.principal, session)):
        with pytest.raises(TokenRefused) as refused:
            look_up(text, NOW)
        assert refused.value.cause == "claims: another audience"


def test_a_session_that_is_closed_and_an_admin_who_is_none_are_refused(registry, owner):
    first, second = opened(registry), opened(registry)
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
        opened(registry)


@pytest.mark.parametrize("minutes", [0, -1, 721])
def test_a_session_lasts_a_minute_to_twelve_hours(registry, owner, minutes):
    with pytest.raises(MalformedValue, match="minutes"):
        opened(registry, minutes)


def test_admins_are_who_they_say_once(registry, owner):
    with pytest.raises(NotAllowed, match="already"):
        registry.admins.add("Another", "OWNER@example.org", "auditor", mandate())
    with pytest.raises(MalformedValue, match=r"role: 'onwer' is none of") as refused:
        registry.admins.add("Another", "another@example.org", "onwer", mandate())
    assert refused.value.suggestions == ("owner",)
    for look_up in (registry.admins.end, registry.sessions.close):
        with pytest.raises(UnknownRecord):
            look_up("nobody", mandate())
    with pytest.raises(UnknownRecord):
        registry.sessions.open("nobody@example.org", 5, mandate())


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_the_table_says(role):
    for right, roles in ROLES_WITH_RIGHT.items():
        if role in roles:
            ensure_has_right(role, right)
        else:
            with pytest.raises(RoleTooSmall, match=role):
                ensure_has_right(role, right)


def test_the_tables_of_admins_go_down_and_up_again_with_rows_in_them(registry, owner, settings):
    opened(registry)
    registry.approvals.request_withdrawal(WITHDRAWAL, mandate())
    engine = open_engine(parse_registry_url(settings.registry_url))
    try:
        migrate.downgrade(engine, "0002")
        with write_transaction(engine) as session:
            migrate.upgrade(session.connection())
    finally:
        engine.dispose()
    assert registry.admins.list() == []
    assert registry.audit.verify().events >= 3, "what was done stays on record"


def test_a_first_word_lapses_after_seven_days(settings):
    two = open_registry(settings.model_copy(update={"four_eyes": "release-withdrawal"}))
    later = NOW + timedelta(days=7)
    try:
        assert not two.approvals.agree_to_withdrawal(WITHDRAWAL, Mandate("cli:ann", "wrong", NOW))
        assert len(two.approvals.list_pending(NOW + timedelta(days=6))) == 1
        assert two.approvals.list_pending(later) == []
        assert not two.approvals.agree_to_withdrawal(WITHDRAWAL, Mandate("cli:bob", "wrong", later))
        assert two.approvals.agree_to_withdrawal(WITHDRAWAL, Mandate("cli:ann", "wrong", later))
        assert two.approvals.list_pending(later) == []
    finally:
        two.close()


def test_an_agreed_withdrawal_that_is_cut_off_needs_no_new_words(settings):
    two = open_registry(settings.model_copy(update={"four_eyes": "release-withdrawal"}))
    one, other = Mandate("cli:ann", "wrong", NOW), Mandate("cli:bob", "wrong", NOW)
    try:
        assert not two.approvals.agree_to_withdrawal(WITHDRAWAL, one)
        for again in (other, other, one):
            assert two.approvals.agree_to_withdrawal(WITHDRAWAL, again)
        assert two.approvals.list_pending(NOW) == []
    finally:
        two.close()


def test_the_words_of_two_owners_stand_beside_each_other(settings):
    two = open_registry(settings.model_copy(update={"four_eyes": "release-withdrawal"}))
    try:
        admins = [
            two.admins.add("An Owner", f"{n}@example.org", "owner", mandate()) for n in ("one", "other")
        ]
        for admin in admins:
            two.approvals.request_withdrawal(WITHDRAWAL, Mandate(f"admin:{admin.id}", "wrong", NOW))
        assert two.approvals.agree_to_withdrawal(WITHDRAWAL, Mandate(f"admin:{admins[0].id}", "wrong", NOW))
    finally:
        two.close()


@pytest.mark.parametrize("leaves", ["end", "change"])
def test_the_word_of_an_admin_who_has_no_say_any_more_lapses(settings, leaves):
    two = open_registry(settings.model_copy(update={"four_eyes": "release-withdrawal"}))
    try:
        admin = two.admins.add("An Owner", "owner@example.org", "owner", mandate())
        two.approvals.request_withdrawal(WITHDRAWAL, Mandate(f"admin:{admin.id}", "wrong", NOW))
        assert [word.actor for word in two.approvals.list_pending(NOW)] == [f"admin:{admin.id}"]
        two.admins.end(admin.id, mandate()) if leaves == "end" else two.admins.change_role(
            admin.id, "auditor", mandate()
        )
        assert two.approvals.list_pending(NOW) == []
        assert not two.approvals.agree_to_withdrawal(WITHDRAWAL, Mandate("cli:ann", "wrong", NOW))
    finally:
        two.close()


def test_another_role_holds_from_the_next_request_on(registry, owner):
    text = opened(registry).text
    registry.admins.change_role("owner@example.org", "auditor", mandate())
    assert registry.sessions.principal(text, NOW).role == "auditor"
    with pytest.raises(MalformedValue, match="role"):
        registry.admins.change_role("owner@example.org", "king", mandate())


def test_an_admin_who_comes_back_comes_in_by_new_sessions_alone(registry, owner):
    before = opened(registry)
    registry.admins.end("owner@example.org", mandate())
    assert registry.sessions.list(NOW) == []
    with pytest.raises(NotAllowed, match="no longer an admin"):
        registry.admins.change_role("owner@example.org", "owner", mandate())
    back = registry.admins.add("An Owner", "owner@example.org", "issuer", mandate())
    assert (back.id, back.role, back.ended) == (owner.id, "issuer", None)
    with pytest.raises(TokenRefused):
        registry.sessions.principal(before.text, NOW)
    again = opened(registry)
    assert registry.sessions.principal(again.text, NOW).role == "issuer"
    (line,) = registry.sessions.list(NOW)
    assert (line.session, line.email) == (again.token_id, "owner@example.org")


def test_words_and_clocks_go_down_and_up_again_with_rows_in_them(registry, settings):
    for who in ("ann", "bob"):
        registry.approvals.request_withdrawal(WITHDRAWAL, Mandate(f"cli:{who}", "wrong", NOW))
    registry.applications.submit(new_project(), mandate())
    registry.applications.set_state(new_project().reference, "returned", mandate())
    before = registry.applications.list_deadlines()
    assert [c.kind for c in before if c.ended is None] == ["amendment-decision"]
    engine = open_engine(parse_registry_url(settings.registry_url))
    try:
        migrate.downgrade(engine, "0003")
        with write_transaction(engine) as session:
            migrate.upgrade(session.connection())
    finally:
        engine.dispose()
    (word,) = registry.approvals.list_pending(NOW)
    assert (word.subject, word.at) == (WITHDRAWAL, NOW)
    assert registry.applications.list_deadlines() == before


def test_a_withdrawal_that_is_done_waits_for_nobody(registry):
    registry.approvals.request_withdrawal(WITHDRAWAL, mandate())
    assert len(registry.approvals.list_pending(NOW)) == 1
    registry.audit.record_release_event("release.withdrawn", WITHDRAWAL, mandate())
    assert registry.approvals.list_pending(NOW) == []


@pytest.mark.parametrize("status", ["active", "next", "retired"])
@pytest.mark.parametrize("purpose", ["token", "release", "audit"])
def test_a_key_is_revoked_for_good_and_another_signs(registry, purpose, status):
    registry.keys.rotate(purpose, mandate())
    kid = next(k.kid for k in registry.keys.list() if (k.purpose, k.status) == (purpose, status))
    successor = registry.keys.revoke(kid, mandate())
    assert (successor is not None) == (status == "active")
    standing = {k.kid: k.status for k in registry.keys.list() if k.purpose == purpose}
    assert standing[kid] == "revoked"
    assert sorted(standing.values()).count("active") == sorted(standing.values()).count("next") == 1
    with pytest.raises(NotAllowed, match="already revoked"):
        registry.keys.revoke(kid, mandate())
    with pytest.raises(UnknownRecord):
        registry.keys.revoke("0" * 16, mandate())
    assert registry.audit.verify().events
