"""The registry decides on every request whether a token is accepted, and with which scopes."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import pytest

from auth.registry import open_registry
from tests.auth.conftest import NOW, ask, mandate, new_member, new_project
from tests.auth.tokens.conftest import refusal_cause


def test_a_token_names_its_project_person_tier_and_scopes(populated):
    issued = populated.tokens.issue(ask(scopes=frozenset({"moderation:read"})), mandate())
    principal = populated.authenticator.principal(issued.text, NOW)
    (project,) = populated.projects.list()
    assert principal.project == project.id
    assert principal.reference == "REQ-1"
    assert principal.tier == "standard"
    assert principal.scopes == {"moderation:read"}
    assert principal.researcher.startswith("res_")
    assert principal.token_id == issued.token_id
    assert principal.expires == issued.expires == NOW + timedelta(days=90)


def test_a_revoked_token_is_refused_on_the_next_call(populated):
    issued = populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(issued.text, NOW)
    assert populated.tokens.revoke(issued.token_id, mandate()).was_open
    assert refusal_cause(populated, issued.text) == "revoked"


def test_a_revocation_by_another_registry_takes_effect_on_the_next_call(populated, settings):
    issued = populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(issued.text, NOW)
    other = open_registry(settings)
    other.tokens.revoke(issued.text, mandate())
    other.close()
    assert refusal_cause(populated, issued.text) == "revoked"


def test_revoking_one_token_does_not_revoke_the_others(populated):
    first, second = (populated.tokens.issue(ask(), mandate()) for _ in range(2))
    populated.tokens.revoke(first.token_id, mandate())
    assert populated.authenticator.principal(second.text, NOW).token_id == second.token_id


@pytest.mark.parametrize("status", ["suspended", "ended"])
def test_the_tokens_of_a_project_that_is_not_active_are_refused_at_once(populated, attacker, status):
    issued = populated.tokens.issue(ask(), mandate())
    attacker(f"UPDATE project SET status = '{status}'", past_triggers=False)
    assert refusal_cause(populated, issued.text) == f"project: {status}"


def test_the_tokens_of_a_membership_that_ended_are_refused_at_once(populated, attacker):
    issued = populated.tokens.issue(ask(), mandate())
    attacker("UPDATE membership SET ended = since", past_triggers=False)
    assert refusal_cause(populated, issued.text) == "membership: not a member now"


def test_scopes_removed_from_a_project_are_removed_from_its_tokens(populated, attacker):
    issued = populated.tokens.issue(ask(), mandate())
    attacker("UPDATE project SET scopes = 'ads:read'", past_triggers=False)
    assert populated.authenticator.principal(issued.text, NOW).scopes == {"ads:read"}


def test_a_token_is_refused_from_the_second_it_expires(populated):
    issued = populated.tokens.issue(ask(days=1), mandate())
    populated.authenticator.principal(issued.text, issued.expires - timedelta(microseconds=1))
    assert refusal_cause(populated, issued.text, issued.expires) == "expired"


def test_a_token_never_outlives_its_project(registry):
    registry.projects.create(new_project(last_day=date(2026, 7, 10)), mandate())
    registry.projects.add_member(new_member(), mandate())
    issued = registry.tokens.issue(ask(days=90), mandate())
    assert issued.expires.isoformat() == "2026-07-11T00:00:00+00:00"


def test_tokens_end_with_a_project_that_was_shortened(populated, attacker):
    issued = populated.tokens.issue(ask(), mandate())
    attacker("UPDATE project SET not_after = '2026-07-02 00:00:00+00'", past_triggers=False)
    tomorrow = NOW.replace(day=2, hour=0)
    assert populated.authenticator.principal(issued.text, NOW).expires == tomorrow
    assert refusal_cause(populated, issued.text, tomorrow) == "project: outside its period"


def test_a_token_is_refused_before_its_project_begins(registry):
    registry.projects.create(new_project(first_day=date(2026, 7, 2)), mandate())
    registry.projects.add_member(new_member(), mandate())
    issued = registry.tokens.issue(ask(), mandate())
    assert refusal_cause(registry, issued.text) == "project: outside its period"
    assert registry.authenticator.principal(issued.text, NOW + timedelta(days=1))


def test_a_token_signed_before_a_key_rotation_stays_valid(populated):
    before = populated.tokens.issue(ask(), mandate())
    populated.keys.rotate("token", mandate())
    after = populated.tokens.issue(ask(), mandate())
    assert populated.authenticator.principal(before.text, NOW) and populated.authenticator.principal(
        after.text, NOW
    )


def test_a_registry_opened_before_a_key_rotation_finds_the_new_key(populated, settings):
    other = open_registry(settings)
    other.authenticator.principal(populated.tokens.issue(ask(), mandate()).text, NOW)
    populated.keys.rotate("token", mandate())
    populated.keys.rotate("token", mandate())
    assert other.authenticator.principal(populated.tokens.issue(ask(), mandate()).text, NOW)
    other.close()


def test_every_token_signed_by_a_revoked_key_is_refused(populated, attacker):
    issued = populated.tokens.issue(ask(), mandate())
    populated.authenticator.principal(issued.text, NOW)
    attacker("UPDATE signing_key SET status = 'revoked' WHERE purpose = 'token'", past_triggers=False)
    assert refusal_cause(populated, issued.text) == "registry: the key is not in use"


def test_a_token_for_another_audience_or_issuer_is_refused(populated, settings):
    issued = populated.tokens.issue(ask(), mandate())
    for change in ({"audience": "another"}, {"issuer": "https://another.example"}):
        other = open_registry(settings.model_copy(update=change))
        assert refusal_cause(other, issued.text).startswith("claims: another")
        other.close()


def test_a_principal_cannot_be_changed(populated):
    principal = populated.authenticator.principal(populated.tokens.issue(ask(), mandate()).text, NOW)
    with pytest.raises(dataclasses.FrozenInstanceError):
        principal.tier = "extended"
