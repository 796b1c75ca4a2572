"""Projects, people and tokens: what is granted, and each refusal in one sentence."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from auth.errors import KeyUnusable, MalformedValue, NotAllowed, RegistryError, UnknownRecord
from auth.registry import open_registry
from auth.scopes import parse_scopes
from auth.tokens.revocation import Revocation
from auth.validation import parse_day
from tests.auth.conftest import NOW, ask, mandate, new_member, new_project


def refusal(function, *arguments) -> RegistryError:
    with pytest.raises(RegistryError) as refused:
        function(*arguments)
    sentence = refused.value.sentence
    assert sentence.endswith((".", "?")) and "\n" not in sentence
    return refused.value


# --- projects and people ------------------------------------------------------------------------------


def test_a_project_runs_from_its_first_day_to_the_end_of_its_last(registry):
    project = registry.projects.create(new_project(), mandate())
    assert project.not_before.isoformat() == "2026-06-01T00:00:00+00:00"
    assert project.not_after.isoformat() == "2027-06-01T00:00:00+00:00"
    assert registry.projects.list()[0].id == project.id


def test_a_reasoned_request_has_one_project(populated):
    refused = refusal(populated.projects.create, new_project(), mandate())
    assert (type(refused), refused.parameter, refused.value) == (NotAllowed, "reference", "REQ-1")


@pytest.mark.parametrize(
    ("change", "parameter", "kind"),
    [
        ({"reference": " "}, "reference", MalformedValue),
        ({"reference": "x" * 201}, "reference", MalformedValue),
        ({"reference": "a\0b"}, "reference", MalformedValue),
        ({"dsc": ""}, "dsc", MalformedValue),
        ({"purpose": "two\nlines"}, "purpose", MalformedValue),
        ({"tier": "gold"}, "tier", MalformedValue),
        ({"first_day": date(2027, 7, 1)}, "until", NotAllowed),
        ({"first_day": date(2020, 1, 1), "last_day": date(2026, 6, 30)}, "until", NotAllowed),
    ],
)
def test_a_project_is_refused_with_the_parameter_that_is_wrong(registry, change, parameter, kind):
    refused = refusal(registry.projects.create, new_project(**change), mandate())
    assert (type(refused), refused.parameter) == (kind, parameter)
    assert registry.projects.list() == []


def test_a_project_may_end_today(registry):
    assert registry.projects.create(new_project(last_day=NOW.date()), mandate())


def test_a_person_has_the_same_identifier_in_every_project(populated):
    populated.projects.create(new_project("REQ-2"), mandate())
    _, ann = populated.projects.add_member(new_member("REQ-2", "ANN@uni.example"), mandate())
    _, bob = populated.projects.add_member(new_member("REQ-2", "bob@uni.example", name="Bob"), mandate())
    first = populated.authenticator.principal(populated.tokens.issue(ask("REQ-1"), mandate()).text, NOW)
    second = populated.authenticator.principal(populated.tokens.issue(ask("REQ-2"), mandate()).text, NOW)
    assert first.researcher == second.researcher == ann.id != bob.id
    assert first.project != second.project


@pytest.mark.parametrize(
    ("member", "parameter"),
    [
        (new_member(), "email"),
        (new_member(email="ann"), "email"),
        (new_member(email="ann@b@c"), "email"),
        (new_member(email="bob@uni.example", name=""), "name"),
        (new_member("REQ-2"), "project"),
    ],
)
def test_a_member_is_refused_with_the_parameter_that_is_wrong(populated, member, parameter):
    assert refusal(populated.projects.add_member, member, mandate()).parameter == parameter


def test_a_known_address_with_another_name_is_refused(populated):
    populated.projects.create(new_project("REQ-2"), mandate())
    refused = refusal(populated.projects.add_member, new_member("REQ-2", name="Somebody Else"), mandate())
    assert "another name" in refused.sentence


def test_a_project_that_has_ended_gets_no_new_members(populated):
    late = mandate(NOW + timedelta(days=400))
    assert "ended" in refusal(populated.projects.add_member, new_member(email="b@c"), late).sentence


def test_the_refusal_of_a_misspelt_project_suggests_the_right_one(populated):
    refused = refusal(populated.tokens.issue, ask("REQ1"), mandate())
    assert (type(refused), refused.suggestions) == (UnknownRecord, ("REQ-1",))
    assert refused.sentence.endswith("Did you mean REQ-1?")


# --- tokens -------------------------------------------------------------------------------------------


def test_by_default_a_token_lasts_ninety_days_and_has_all_scopes_of_its_project(populated):
    issued = populated.tokens.issue(ask(), mandate())
    assert issued.expires - NOW == timedelta(days=90)
    assert populated.authenticator.principal(issued.text, NOW).scopes == {"ads:read", "moderation:read"}
    assert len(issued.text) < 600


def test_a_scope_that_the_project_does_not_have_is_refused(populated):
    refused = refusal(populated.tokens.issue, ask(scopes=frozenset({"reports:read"})), mandate())
    assert (refused.parameter, refused.value) == ("scopes", "reports:read")
    assert refused.allowed == ("ads:read", "moderation:read")


@pytest.mark.parametrize("days", [0, -1, 367, 10**9])
def test_a_lifetime_out_of_bounds_is_refused(populated, days):
    assert refusal(populated.tokens.issue, ask(days=days), mandate()).parameter == "days"


def test_only_a_member_gets_a_token(populated):
    refused = refusal(populated.tokens.issue, ask(researcher="anne@uni.example"), mandate())
    assert (refused.parameter, refused.suggestions) == ("researcher", ("ann@uni.example",))


def test_a_member_who_left_gets_no_token(populated, attacker):
    attacker("UPDATE membership SET ended = since", past_triggers=False)
    assert refusal(populated.tokens.issue, ask(), mandate()).parameter == "researcher"


@pytest.mark.parametrize("status", ["suspended", "ended"])
def test_a_project_that_is_not_active_gets_no_token(populated, attacker, status):
    attacker(f"UPDATE project SET status = '{status}'", past_triggers=False)
    assert status in refusal(populated.tokens.issue, ask(), mandate()).sentence


def test_a_project_that_has_ended_gets_no_token(populated):
    late = mandate(NOW + timedelta(days=400))
    assert "ended on 2027-06-01" in refusal(populated.tokens.issue, ask(), late).sentence


def test_the_same_idempotency_key_shows_the_same_token(populated):
    first = populated.tokens.issue(ask(idempotency_key="k1", label="laptop"), mandate())
    second = populated.tokens.issue(
        ask(idempotency_key="k1", label="laptop"), mandate(NOW + timedelta(minutes=1))
    )
    assert (first.again, second.again) == (False, True)
    assert first.token_id == second.token_id and first.expires == second.expires
    assert populated.authenticator.principal(first.text, NOW) == populated.authenticator.principal(
        second.text, NOW
    )
    assert len(populated.tokens.list(NOW)) == 1
    assert populated.audit.verify().events == 5


def test_blanks_around_an_idempotency_key_are_ignored(populated):
    first = populated.tokens.issue(ask(idempotency_key="k1"), mandate())
    again = populated.tokens.issue(ask(idempotency_key=" " * 300 + "k1\u00a0"), mandate())
    assert (again.token_id, again.again) == (first.token_id, True)


def test_an_idempotency_key_is_for_one_token_of_one_member(populated):
    populated.tokens.issue(ask(idempotency_key="k1"), mandate())
    populated.projects.add_member(new_member(email="bob@uni.example", name="Bob"), mandate())
    other = populated.tokens.issue(ask(researcher="bob@uni.example", idempotency_key="k1"), mandate())
    assert not other.again
    refused = refusal(populated.tokens.issue, ask(idempotency_key="k1", days=5), mandate())
    assert "other scopes, days or label" in refused.sentence


def test_a_token_that_was_used_or_revoked_is_not_shown_again(populated):
    used = populated.tokens.issue(ask(idempotency_key="used"), mandate())
    populated.authenticator.principal(used.text, NOW)
    populated.authenticator.write_last_uses()
    revoked = populated.tokens.issue(ask(idempotency_key="revoked"), mandate())
    populated.tokens.revoke(revoked.token_id, mandate())
    populated.tokens.issue(ask(idempotency_key="rotated"), mandate())
    assert "has been used" in refusal(populated.tokens.issue, ask(idempotency_key="used"), mandate()).sentence
    assert "revoked" in refusal(populated.tokens.issue, ask(idempotency_key="revoked"), mandate()).sentence
    populated.keys.rotate("token", mandate())
    assert "rotated" in refusal(populated.tokens.issue, ask(idempotency_key="rotated"), mandate()).sentence


def test_the_list_shows_the_scopes_and_the_state_of_each_token(populated, attacker):
    open_, revoked, expired = (
        populated.tokens.issue(ask(days=days, label=label), mandate())
        for days, label in ((90, "open"), (90, "revoked"), (1, "expired"))
    )
    populated.tokens.revoke(revoked.token_id, mandate())
    in_a_week = NOW + timedelta(days=7)
    states = {line.label: line.state for line in populated.tokens.list(in_a_week, "REQ-1")}
    assert states == {"open": "active", "revoked": "revoked", "expired": "expired"}
    attacker("UPDATE project SET status = 'suspended'", past_triggers=False)
    states = {line.token_id: line.state for line in populated.tokens.list(in_a_week)}
    assert states[open_.token_id] == "project suspended" and states[expired.token_id] == "expired"
    assert refusal(populated.tokens.list, NOW, "REQ-9").parameter == "project"


def test_a_token_of_a_project_that_has_not_begun_is_not_valid_yet(registry):
    registry.projects.create(new_project(first_day=date(2026, 7, 2)), mandate())
    registry.projects.add_member(new_member(), mandate())
    registry.tokens.issue(ask(), mandate())
    assert registry.tokens.list(NOW)[0].state == "not yet"


def test_a_token_can_be_revoked_by_its_text_and_only_once(populated):
    issued = populated.tokens.issue(ask(), mandate())
    first, second = (populated.tokens.revoke(name, mandate()) for name in (issued.text, issued.token_id))
    assert first == Revocation(issued.token_id, was_open=True, closed=(issued.token_id,))
    assert second == Revocation(issued.token_id, was_open=False, closed=())
    assert populated.audit.verify().events == 6, "the second revocation has its event too"


def test_a_text_that_is_not_a_token_cannot_be_revoked(populated):
    issued = populated.tokens.issue(ask(), mandate())
    misspelt = issued.token_id[:-1] + "9"
    refused = refusal(populated.tokens.revoke, misspelt, mandate())
    assert refused.suggestions == (issued.token_id,)
    forged = refusal(populated.tokens.revoke, issued.text[:-2], mandate())
    assert (type(forged), forged.value) == (UnknownRecord, "")
    assert issued.text[:-2] not in forged.sentence
    refusal(populated.tokens.revoke, "\ud800", mandate())


def test_a_host_without_the_private_key_cannot_issue_a_token(populated, settings, tmp_path):
    other = open_registry(settings.model_copy(update={"keys_dir": tmp_path / "none"}))
    assert type(refusal(other.tokens.issue, ask(), mandate())) is KeyUnusable
    assert other.tokens.list(NOW) == []
    other.close()


# --- what people type ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", ",", "ads", "ads:read;moderation:read", "ADS:READ", "ads:write"])
def test_unknown_scopes_are_refused_with_a_list_of_the_known_ones(text):
    refused = refusal(parse_scopes, text)
    assert refused.parameter == "scopes" and "reports:read" in refused.allowed


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026-6-1", "20260601", "2026-W01-1", "2026-02-30", "0001-01-01", "x" * 99, "٢٠٢٦-٠٦-٠١"],
)
def test_a_malformed_day_is_refused(text):
    assert "YYYY-MM-DD" in refusal(parse_day, "until", text).sentence


@pytest.mark.parametrize("name", ["\0", "REQ-1\0", "\ud800", "REQ-1\udfff"])
def test_a_name_that_cannot_be_stored_is_malformed_and_not_an_outage(populated, name):
    for look_up in (
        lambda: populated.tokens.list(NOW, name),
        lambda: populated.tokens.issue(ask(name), mandate()),
        lambda: populated.tokens.revoke(name, mandate()),
    ):
        with pytest.raises(MalformedValue, match="leave it out"):
            look_up()
    assert populated.audit.verify().events
