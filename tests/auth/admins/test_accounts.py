"""Accounts of admins and the rights of their roles."""

import pytest

from auth.admins.roles import ROLES, ROLES_WITH_RIGHT, RoleTooSmall, ensure_has_right
from auth.db import migrate
from auth.db.engine import open_engine, parse_registry_url, write_transaction
from auth.errors import MalformedValue, NotAllowed, TokenRefused, UnknownRecord
from tests.auth.admins.conftest import WITHDRAWAL, open_session
from tests.auth.conftest import NOW, mandate


def test_two_admins_cannot_have_one_address_and_an_unknown_role_or_admin_is_refused(registry, owner):
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
def test_a_role_has_the_rights_of_the_table(role):
    for right, roles in ROLES_WITH_RIGHT.items():
        if role in roles:
            ensure_has_right(role, right)
        else:
            with pytest.raises(RoleTooSmall, match=role):
                ensure_has_right(role, right)


def test_a_new_role_applies_from_the_next_request_on(registry, owner):
    text = open_session(registry).text
    registry.admins.change_role("owner@example.org", "auditor", mandate())
    assert registry.sessions.principal(text, NOW).role == "auditor"
    with pytest.raises(MalformedValue, match="role"):
        registry.admins.change_role("owner@example.org", "king", mandate())


def test_an_admin_who_returns_needs_a_new_session(registry, owner):
    before = open_session(registry)
    registry.admins.end("owner@example.org", mandate())
    assert registry.sessions.list(NOW) == []
    with pytest.raises(NotAllowed, match="no longer an admin"):
        registry.admins.change_role("owner@example.org", "owner", mandate())
    back = registry.admins.add("An Owner", "owner@example.org", "issuer", mandate())
    assert (back.id, back.role, back.ended) == (owner.id, "issuer", None)
    with pytest.raises(TokenRefused):
        registry.sessions.principal(before.text, NOW)
    again = open_session(registry)
    assert registry.sessions.principal(again.text, NOW).role == "issuer"
    (line,) = registry.sessions.list(NOW)
    assert (line.session, line.email) == (again.token_id, "owner@example.org")


def test_the_migration_of_admins_can_be_downgraded_and_upgraded_with_rows_in_the_tables(
    registry, owner, settings
):
    open_session(registry)
    registry.consents.request_withdrawal(WITHDRAWAL, mandate())
    engine = open_engine(parse_registry_url(settings.registry_url))
    try:
        migrate.downgrade(engine, "0002")
        with write_transaction(engine) as session:
            migrate.upgrade(session.connection())
    finally:
        engine.dispose()
    assert registry.admins.list() == []
    assert registry.audit.verify().events >= 3, "what was done stays on record"
