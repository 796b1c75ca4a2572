"""Dual control: consents to withdrawals, how long they last and when they are pending."""

from datetime import timedelta

import pytest

from auth.audit.chain import Mandate
from auth.db import migrate
from auth.db.engine import open_engine, parse_registry_url, write_transaction
from tests.auth.admins.conftest import WITHDRAWAL
from tests.auth.conftest import NOW, mandate, new_project


def test_a_consent_lapses_after_seven_days(dual_control):
    later = NOW + timedelta(days=7)
    assert not dual_control.consents.consent_to_withdrawal(WITHDRAWAL, Mandate("cli:ann", "wrong", NOW))
    assert len(dual_control.consents.list_pending(NOW + timedelta(days=6))) == 1
    assert dual_control.consents.list_pending(later) == []
    assert not dual_control.consents.consent_to_withdrawal(WITHDRAWAL, Mandate("cli:bob", "wrong", later))
    assert dual_control.consents.consent_to_withdrawal(WITHDRAWAL, Mandate("cli:ann", "wrong", later))
    assert dual_control.consents.list_pending(later) == []


def test_an_interrupted_withdrawal_needs_no_new_consents(dual_control):
    one, other = Mandate("cli:ann", "wrong", NOW), Mandate("cli:bob", "wrong", NOW)
    assert not dual_control.consents.consent_to_withdrawal(WITHDRAWAL, one)
    for again in (other, other, one):
        assert dual_control.consents.consent_to_withdrawal(WITHDRAWAL, again)
    assert dual_control.consents.list_pending(NOW) == []


def test_two_owners_can_both_request_a_withdrawal(dual_control):
    admins = [
        dual_control.admins.add("An Owner", f"{n}@example.org", "owner", mandate()) for n in ("one", "other")
    ]
    for admin in admins:
        dual_control.consents.request_withdrawal(WITHDRAWAL, Mandate(f"admin:{admin.id}", "wrong", NOW))
    assert dual_control.consents.consent_to_withdrawal(
        WITHDRAWAL, Mandate(f"admin:{admins[0].id}", "wrong", NOW)
    )


@pytest.mark.parametrize("leaves", ["end", "change"])
def test_the_consent_of_an_admin_lapses_with_the_account_or_the_role(dual_control, leaves):
    admin = dual_control.admins.add("An Owner", "owner@example.org", "owner", mandate())
    dual_control.consents.request_withdrawal(WITHDRAWAL, Mandate(f"admin:{admin.id}", "wrong", NOW))
    assert [consent.actor for consent in dual_control.consents.list_pending(NOW)] == [f"admin:{admin.id}"]
    dual_control.admins.end(admin.id, mandate()) if leaves == "end" else dual_control.admins.change_role(
        admin.id, "auditor", mandate()
    )
    assert dual_control.consents.list_pending(NOW) == []
    assert not dual_control.consents.consent_to_withdrawal(WITHDRAWAL, Mandate("cli:ann", "wrong", NOW))


def test_a_withdrawal_that_was_carried_out_is_no_longer_pending(registry):
    registry.consents.request_withdrawal(WITHDRAWAL, mandate())
    assert len(registry.consents.list_pending(NOW)) == 1
    registry.audit.record_release_event("release.withdrawn", WITHDRAWAL, mandate())
    assert registry.consents.list_pending(NOW) == []


def test_the_migration_of_consents_and_clocks_can_be_downgraded_and_upgraded_with_rows_in_the_tables(
    registry, settings
):
    for who in ("ann", "bob"):
        registry.consents.request_withdrawal(WITHDRAWAL, Mandate(f"cli:{who}", "wrong", NOW))
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
    (consent,) = registry.consents.list_pending(NOW)
    assert (consent.subject, consent.at) == (WITHDRAWAL, NOW)
    assert registry.applications.list_deadlines() == before
