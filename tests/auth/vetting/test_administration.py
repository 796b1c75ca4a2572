"""Requests and projects through their lives: each step allowed or refused, on record, and told to the coordinator in time."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from auth.audit.log import Mandate
from auth.calendar import MEMBER_STATES, after_days, after_working_days
from auth.errors import MalformedValue, NotAllowed, TokenRefused, UnknownRecord
from auth.projects import NewProject
from auth.registry import open_registry
from auth.tokens.issuing import NewToken, ending_tokens
from auth.vetting.lifecycle import ProjectChange
from tests.auth.conftest import NOW, mandate, new_member, new_project

EMAIL = "ann@uni.example"


def request(**changes):
    return NewProject(
        **{
            "reference": "REQ-7", "dsc": "IE", "purpose": "Systemic risks", "scopes": frozenset({"ads:read", "moderation:read"}),
            "first_day": NOW.date(), "last_day": NOW.date() + timedelta(days=90), **changes,
        }
    )  # fmt: skip


def reference(registry):
    return registry.projects.list()[0].reference


def token(registry, **options):
    return registry.tokens.issue(NewToken(reference(registry), EMAIL, **options), mandate()).text


# --- requests ---------------------------------------------------------------------------------------


def test_an_approved_request_becomes_a_project_of_the_same_terms(registry):
    made = registry.applications.submit(request(), mandate())
    assert (made.state, made.amendment_by) == ("submitted", NOW.date() + timedelta(days=15))
    project = registry.applications.approve("REQ-7", mandate(reason="The request is in order."))
    assert (project.reference, project.scopes, project.status) == (
        "REQ-7",
        "ads:read moderation:read",
        "active",
    )
    (application,) = registry.applications.list()
    assert (application.state, application.project_id) == ("approved", project.id)


def test_a_request_can_go_back_and_come_again_but_not_after_it_is_decided(registry):
    registry.applications.submit(request(), mandate())
    registry.applications.set_state("REQ-7", "returned", mandate(reason="Which months?"))
    with pytest.raises(NotAllowed, match="REQ-7 is returned; submitted ones can become approved"):
        registry.applications.approve("REQ-7", mandate())
    registry.applications.set_state("REQ-7", "submitted", mandate())
    registry.applications.set_state("REQ-7", "rejected", mandate(reason="Not in scope."))
    for state in ("returned", "submitted", "rejected"):
        with pytest.raises(NotAllowed):
            registry.applications.set_state("REQ-7", state, mandate())
    assert registry.projects.list() == []


@pytest.mark.parametrize(
    ("changes", "refusal", "words"),
    [
        ({"dsc": "UK"}, MalformedValue, "dsc: 'UK' is no member state"),
        ({"modality": "raw"}, MalformedValue, "modality: 'raw' is not offered; there is token_aggregates"),
        ({"last_day": NOW.date() - timedelta(days=1)}, NotAllowed, "lies before the first day"),
        ({"reference": " "}, MalformedValue, "reference"),
        ({"tier": "gold"}, MalformedValue, "tier"),
    ],
)
def test_a_request_that_cannot_be_is_refused(registry, changes, refusal, words):
    with pytest.raises(refusal, match=words):
        registry.applications.submit(request(**changes), mandate())
    assert registry.applications.list() == []


def test_a_request_is_handled_once(registry):
    registry.applications.submit(request(), mandate())
    with pytest.raises(NotAllowed, match="'REQ-7' is an application already"):
        registry.applications.submit(request(), mandate())
    with pytest.raises(NotAllowed, match="'REQ-7' is an application already"):
        registry.projects.create(request(), mandate())  # past the application that waits
    registry.applications.approve("REQ-7", mandate())
    registry.projects.create(request(reference="REQ-8"), mandate())
    with pytest.raises(NotAllowed, match="'REQ-8' is a project already"):
        registry.applications.submit(request(reference="REQ-8"), mandate())


# --- projects ---------------------------------------------------------------------------------------


def test_a_suspended_project_lets_nobody_in_until_it_is_resumed(populated):
    text = token(populated)
    name = reference(populated)
    assert populated.authenticator.principal(text, NOW)
    populated.projects.set_status(name, "suspended", mandate(reason="The coordinator asks."))
    with pytest.raises(TokenRefused) as refused:
        populated.authenticator.principal(text, NOW)
    assert refused.value.cause == "project: suspended"
    populated.projects.set_status(name, "active", mandate())
    assert populated.authenticator.principal(text, NOW)


def test_an_ended_project_stays_ended(populated):
    text, name = token(populated), reference(populated)
    populated.projects.set_status(name, "ended", mandate(reason="Done."))
    with pytest.raises(TokenRefused):
        populated.authenticator.principal(text, NOW)
    for status in ("active", "suspended", "ended"):
        with pytest.raises(NotAllowed, match="is ended"):
            populated.projects.set_status(name, status, mandate())
    with pytest.raises(NotAllowed, match="has ended; further access needs a reasoned request of its own"):
        populated.projects.change(name, ProjectChange(tier="extended"), mandate())


def test_a_change_holds_at_once_and_every_version_is_kept(populated):
    text, name = token(populated), reference(populated)
    before = populated.authenticator.principal(text, NOW).scopes
    assert len(before) > 1
    left = frozenset(sorted(before)[:1])
    change = ProjectChange(scopes=left, tier="extended", last_day=NOW.date() + timedelta(days=5))
    populated.projects.change(name, change, mandate(reason="Amended."))
    principal = populated.authenticator.principal(text, NOW)
    assert (principal.scopes, principal.tier) == (left, "extended")
    assert principal.expires.date() <= NOW.date() + timedelta(days=6)
    first, second = populated.projects.list_versions(name)
    assert (first.version, second.version) == (1, 2)
    assert set(first.scopes.split()) == before
    assert second.reason == "Amended."
    with pytest.raises(NotAllowed, match="is over, or before the first day"):
        populated.projects.change(name, ProjectChange(last_day=NOW.date() - timedelta(days=1)), mandate())


def test_who_leaves_a_project_is_out_and_others_stay(populated):
    text, name = token(populated), reference(populated)
    populated.projects.end_membership(name, EMAIL, mandate(reason="Left the university."))
    with pytest.raises(TokenRefused):
        populated.authenticator.principal(text, NOW)
    with pytest.raises(UnknownRecord):
        populated.projects.end_membership(name, EMAIL, mandate())


def test_projects_that_end_soon_are_listed(populated):
    populated.projects.change(
        reference(populated), ProjectChange(last_day=NOW.date() + timedelta(days=10)), mandate()
    )
    assert [p.reference for p in populated.projects.list_ending(NOW, 14)] == [reference(populated)]
    assert populated.projects.list_ending(NOW, 5) == []


def test_tokens_that_end_soon_and_have_no_successor_are_listed(populated):
    short = populated.tokens.issue(NewToken(reference(populated), EMAIL, days=10), mandate())
    replaced = populated.tokens.issue(NewToken(reference(populated), EMAIL, days=9), mandate())
    populated.tokens.issue(NewToken(reference(populated), EMAIL, days=90), mandate())
    successor = populated.tokens.rotate(replaced.token_id, timedelta(days=1), mandate())
    found = ending_tokens(populated.tokens.list(NOW), NOW, 14)
    assert [line.token_id for line in found] == [successor.token_id, short.token_id]
    assert ending_tokens(populated.tokens.list(NOW), NOW, 5) == []
    assert ending_tokens(populated.tokens.list(short.expires), short.expires, 14) == [], (
        "what has ended ends no more"
    )


@pytest.mark.parametrize(
    "change",
    [
        ProjectChange(scopes=frozenset({"ads:read", "moderation:read", "reports:read"})),
        ProjectChange(tier="extended"),
        ProjectChange(last_day=date(2028, 1, 1)),
    ],
)
def test_where_two_must_agree_to_a_project_they_must_to_more_of_it(populated, settings, change):
    name = reference(populated)
    one, other = mandate(), Mandate("cli:another", "as amended", NOW)
    two = open_registry(settings.model_copy(update={"four_eyes": "project-approval"}))
    try:
        assert two.projects.change(name, change, one) is None
        with pytest.raises(NotAllowed, match="another person must"):
            two.projects.change(name, change, one)
        assert len(two.projects.list_versions(name)) == 1
        (waits,) = two.approvals.list_pending(NOW)
        assert waits.subject.startswith("prj_")
        elsewhere = ProjectChange(last_day=date(2029, 1, 1))
        assert two.projects.change(name, elsewhere, other) is None, "another change is another question"
        assert two.projects.change(name, change, other).version == 2
        less = ProjectChange(scopes=frozenset({"ads:read"}), last_day=NOW.date() + timedelta(days=9))
        assert two.projects.change(name, less, one).version == 3, "one is enough to take away"
    finally:
        two.close()


def test_the_public_summary_names_no_person(populated):
    (summary,) = populated.projects.summaries(NOW)
    assert summary.reference == reference(populated)
    assert set(summary.datasets) <= {"ads", "moderation", "recommendations", "reports"}
    assert "ann" not in repr(summary).lower()
    assert summary.status == "active"
    (over,) = populated.projects.summaries(summary.end)
    assert over.status == "ended", "also where nobody has ended it"


# --- notices ----------------------------------------------------------------------------------------


def test_the_coordinator_is_told_of_the_beginning_and_the_end_within_three_working_days(populated):
    (begins,) = populated.notices.list()
    assert begins.kind == "access_begins"
    assert begins.due == after_working_days(begins.at.date(), 3, "IE")
    populated.projects.set_status(reference(populated), "ended", mandate(reason="Done."))
    ends = [n for n in populated.notices.list() if n.kind == "access_ends"]
    assert [n.at for n in ends] == [NOW]
    assert not ends[0].late(ends[0].due)
    assert ends[0].late(ends[0].due + timedelta(days=1))
    populated.notices.record_sent(ends[0].notice, mandate(NOW + timedelta(days=1)))
    told = next(n for n in populated.notices.list() if n.notice == ends[0].notice)
    assert told.sent == NOW + timedelta(days=1)
    assert not told.late(date(2030, 1, 1))
    with pytest.raises(UnknownRecord):
        populated.notices.record_sent("ntc_none", mandate())


def test_a_project_that_ends_by_itself_gets_its_notice_once(populated):
    end = populated.projects.list()[0].not_after
    later = end + timedelta(days=2)
    assert populated.notices.add_for_ended_projects(end - timedelta(seconds=1)) == 0
    assert [populated.notices.add_for_ended_projects(later) for _ in range(2)] == [1, 0]
    assert sorted(n.kind for n in populated.notices.list()) == ["access_begins", "access_ends"]
    assert next(n for n in populated.notices.list() if n.kind == "access_ends").at == end
    assert populated.audit.verify().events


def test_nobody_joins_a_project_that_was_ended(populated):
    populated.projects.set_status(reference(populated), "ended", mandate(reason="Done."))
    late = new_member()
    with pytest.raises(NotAllowed, match="has ended; nobody can join it"):
        populated.projects.add_member(
            type(late)(late.project, "Bob", "bob@uni.example", late.institution), mandate()
        )
    assert sorted(n.kind for n in populated.notices.list()) == ["access_begins", "access_ends"]


@pytest.mark.parametrize("by_itself", [True, False])
def test_of_access_that_never_began_no_end_is_told(registry, by_itself):
    project = registry.projects.create(new_project(), mandate())
    if by_itself:
        assert registry.notices.add_for_ended_projects(project.not_after) == 0
    else:
        registry.projects.set_status(project.id, "ended", mandate())
    assert registry.notices.list() == ()


@pytest.mark.parametrize("told", [True, False])
def test_of_a_beginning_that_was_called_off_nothing_is_told_or_both(registry, told):
    tomorrow = NOW.date() + timedelta(days=1)
    registry.projects.create(replace(new_project(), first_day=tomorrow), mandate())
    registry.projects.add_member(new_member(), mandate())
    (begins,) = registry.notices.list()
    if told:
        registry.notices.record_sent(begins.notice, mandate())
    registry.projects.set_status(new_project().reference, "ended", mandate())
    assert sorted(n.kind for n in registry.notices.list()) == (
        ["access_begins", "access_ends"] if told else []
    )


def test_the_summary_of_a_project_that_was_ended_early_says_when(populated):
    populated.projects.set_status(reference(populated), "ended", mandate(reason="Done."))
    (summary,) = populated.projects.summaries(NOW)
    assert (summary.status, summary.end) == ("ended", NOW)


def test_a_member_who_comes_back_comes_in_by_new_tokens_alone(populated):
    before = token(populated)
    populated.projects.end_membership(reference(populated), EMAIL, mandate())
    assert {t.state for t in populated.tokens.list(NOW)} == {"revoked"}
    populated.projects.add_member(new_member(), mandate(NOW + timedelta(hours=1)))
    later = NOW + timedelta(hours=2)
    with pytest.raises(TokenRefused) as refused:
        populated.authenticator.principal(before, later)
    assert refused.value.cause == "revoked"
    again = populated.tokens.issue(NewToken(reference(populated), EMAIL), mandate(later)).text
    assert populated.authenticator.principal(again, later)
    assert [n.kind for n in populated.notices.list()] == ["access_begins"], "the project's access went on"


def test_a_token_of_a_project_that_was_shortened_is_listed_as_expired(populated):
    token(populated, days=80)
    populated.projects.change(reference(populated), ProjectChange(last_day=NOW.date()), mandate())
    (line,) = populated.tokens.list(NOW + timedelta(days=2))
    assert line.state == "expired"
    assert line.expires == populated.projects.list()[0].not_after


# --- clocks -----------------------------------------------------------------------------------------


def clocks(registry):
    return {c.kind: (c.due, c.ended is None) for c in registry.applications.list_deadlines()}


def test_a_request_that_is_argued_about_keeps_the_clocks_of_the_law(registry):
    day = NOW.date()
    registry.applications.submit(request(), mandate())
    assert clocks(registry) == {"amendment": (after_days(day, 15, "IE"), True)}
    registry.applications.set_state("REQ-7", "returned", mandate(reason="We do not hold this."))
    assert clocks(registry)["amendment"][1] is False
    assert clocks(registry)["amendment-decision"] == (after_days(day, 15, "IE"), True)
    with pytest.raises(NotAllowed, match="no clock 'mediation-request' running"):
        registry.applications.record_mediation_step("REQ-7", "asked", mandate())
    registry.applications.set_state("REQ-7", "submitted", mandate(reason="The coordinator insists."))
    assert clocks(registry)["mediation-request"] == (after_working_days(day, 5, "IE"), True)
    registry.applications.record_mediation_step("REQ-7", "asked", mandate())
    found = clocks(registry)
    assert found["mediator"] == (after_working_days(day, 20, "IE"), True)
    assert found["mediation"] == (after_working_days(day, 40, "IE"), True)
    registry.applications.record_mediation_step("REQ-7", "agreed", mandate())
    registry.applications.record_mediation_step("REQ-7", "ended", mandate(NOW + timedelta(days=100)))
    found = {c.kind: c for c in registry.applications.list_deadlines()}
    assert all(c.ended for c in found.values())
    assert found["mediation"].late(NOW.date())
    assert not found["mediator"].late(NOW.date())
    with pytest.raises(MalformedValue, match="step: 'aksed' is none of asked, agreed, ended"):
        registry.applications.record_mediation_step("REQ-7", "aksed", mandate())


def test_a_mediation_that_runs_is_not_begun_again(registry):
    registry.applications.submit(request(), mandate())
    for state in ("returned", "submitted"):
        registry.applications.set_state("REQ-7", state, mandate())
    registry.applications.record_mediation_step("REQ-7", "asked", mandate())
    for state in ("returned", "submitted"):
        registry.applications.set_state("REQ-7", state, mandate(NOW + timedelta(days=2)))
    with pytest.raises(NotAllowed, match="no clock 'mediation-request' running"):
        registry.applications.record_mediation_step("REQ-7", "asked", mandate(NOW + timedelta(days=3)))
    (mediation,) = [c for c in registry.applications.list_deadlines() if c.kind == "mediation"]
    assert (mediation.began, mediation.ended) == (NOW, None)


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_no_clock_runs_once_a_request_is_decided(registry, decision):
    registry.applications.submit(request(), mandate())
    for state in ("returned", "submitted"):
        registry.applications.set_state("REQ-7", state, mandate())
    if decision == "approved":
        registry.applications.approve("REQ-7", mandate())
    else:
        registry.applications.set_state("REQ-7", "rejected", mandate())
    assert not [c.kind for c in registry.applications.list_deadlines() if c.ended is None]


@pytest.mark.parametrize(
    ("day", "number", "state", "end"),
    [
        (date(2026, 12, 10), 15, "DE", date(2026, 12, 28)),  # the 25th is a holiday, then a week-end
        (date(2026, 3, 2), 15, "IE", date(2026, 3, 18)),  # the 17th is Saint Patrick's Day
        (date(2026, 7, 1), 15, "IE", date(2026, 7, 16)),
        (date(2026, 7, 1), 3, "IE", date(2026, 7, 6)),
    ],
)
def test_days_of_the_calendar_end_on_a_working_day(day, number, state, end):
    assert after_days(day, number, state) == end


def test_a_second_member_is_no_second_beginning(populated):
    first = new_member()
    populated.projects.add_member(
        type(first)(first.project, "Bob", "bob@uni.example", first.institution), mandate()
    )
    assert [n.kind for n in populated.notices.list()] == ["access_begins"]


@pytest.mark.parametrize(
    ("day", "state", "last"),
    [
        (date(2026, 6, 1), "DE", date(2026, 6, 4)),  # Monday; Corpus Christi is no holiday in all of Germany
        (date(2026, 7, 3), "IE", date(2026, 7, 8)),  # Friday
        (date(2026, 12, 31), "IE", date(2027, 1, 6)),  # 1 January is a holiday, 2 and 3 a week-end
        (date(2026, 7, 13), "FR", date(2026, 7, 17)),  # 14 July
    ],
)
def test_working_days_leave_out_week_ends_and_public_holidays(day, state, last):
    assert after_working_days(day, 3, state) == last


def test_a_coordinator_that_no_calendar_is_known_of_is_told_early_and_never_late():
    assert after_working_days(date(2026, 12, 23), 3, "Coimisiún na Meán") == date(2026, 12, 28)
    assert after_working_days(date(2026, 12, 23), 3, "IE") > date(2026, 12, 28)


def test_every_member_state_has_a_calendar():
    assert len(MEMBER_STATES) == 27
    for state in MEMBER_STATES:
        assert after_working_days(date(2026, 12, 24), 3, state) > date(2026, 12, 28)


# --- tokens -----------------------------------------------------------------------------------------


def test_a_token_and_its_successor_overlap_and_then_the_old_one_is_closed(populated):
    old = token(populated)
    new = populated.tokens.rotate(old, timedelta(hours=2), mandate())
    assert populated.authenticator.principal(old, NOW).expires == NOW + timedelta(hours=2)
    assert (
        populated.authenticator.principal(new.text, NOW).scopes
        == populated.authenticator.principal(old, NOW).scopes
    )
    with pytest.raises(TokenRefused) as refused:
        populated.authenticator.principal(old, NOW + timedelta(hours=2))
    assert refused.value.cause == "revoked"
    assert populated.authenticator.principal(new.text, NOW + timedelta(hours=2))
    with pytest.raises(NotAllowed, match="was replaced already"):
        populated.tokens.rotate(old, timedelta(hours=2), mandate())


def test_an_overlap_can_be_cut_short(populated):
    old = token(populated)
    populated.tokens.rotate(old, timedelta(days=7), mandate())
    assert populated.tokens.revoke(old, mandate())[1]
    with pytest.raises(TokenRefused):
        populated.authenticator.principal(old, NOW)
    with pytest.raises(MalformedValue, match="overlap"):
        populated.tokens.rotate(token(populated), timedelta(days=8), mandate())


def test_a_narrowed_token_keeps_its_text_and_loses_scopes(populated):
    text = token(populated)
    whole = populated.authenticator.principal(text, NOW).scopes
    left = frozenset(sorted(whole)[:1])
    populated.tokens.narrow(text, left, mandate())
    assert populated.authenticator.principal(text, NOW).scopes == left
    with pytest.raises(NotAllowed, match="beyond the token"):
        populated.tokens.narrow(text, whole, mandate())
    assert populated.tokens.rotate(text, timedelta(0), mandate())
    assert [line.scopes for line in populated.tokens.list(NOW)] == [" ".join(left)] * 2


def test_a_token_that_was_found_can_be_identified_whatever_became_of_it(populated):
    text = token(populated, label="laptop")
    populated.tokens.revoke(text, mandate())
    much_later = NOW + timedelta(days=400)
    found = populated.tokens.identify(text, much_later)
    assert (found.label, found.state, found.researcher) == ("laptop", "revoked", EMAIL)
    for other in ("", "nothing", text[:-2] + "AA", text.replace("e", "f", 1)):
        with pytest.raises(UnknownRecord):
            populated.tokens.identify(other, NOW)


def test_every_act_is_on_record_and_the_chain_is_whole(populated):
    name = reference(populated)
    before = populated.audit.verify().events
    text = token(populated)
    populated.tokens.rotate(text, timedelta(0), mandate())
    populated.projects.set_status(name, "suspended", mandate())
    populated.projects.set_status(name, "active", mandate())
    populated.projects.change(name, ProjectChange(tier="extended"), mandate())
    populated.projects.set_status(name, "ended", mandate())
    assert populated.audit.verify().events == before + 6
