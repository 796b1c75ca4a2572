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
    return registry.list_projects()[0].reference


def token(registry, **options):
    return registry.issue_token(NewToken(reference(registry), EMAIL, **options), mandate()).text


# --- requests ---------------------------------------------------------------------------------------


def test_an_approved_request_becomes_a_project_of_the_same_terms(registry):
    made = registry.office.submit(request(), mandate())
    assert (made.state, made.amendment_by) == ("submitted", NOW.date() + timedelta(days=15))
    project = registry.office.approve("REQ-7", mandate(reason="The request is in order."))
    assert (project.reference, project.scopes, project.status) == (
        "REQ-7",
        "ads:read moderation:read",
        "active",
    )
    (application,) = registry.office.list_applications()
    assert (application.state, application.project_id) == ("approved", project.id)


def test_a_request_can_go_back_and_come_again_but_not_after_it_is_decided(registry):
    registry.office.submit(request(), mandate())
    registry.office.move_application("REQ-7", "returned", mandate(reason="Which months?"))
    with pytest.raises(NotAllowed, match="REQ-7 is returned; submitted ones can become approved"):
        registry.office.approve("REQ-7", mandate())
    registry.office.move_application("REQ-7", "submitted", mandate())
    registry.office.move_application("REQ-7", "rejected", mandate(reason="Not in scope."))
    for state in ("returned", "submitted", "rejected"):
        with pytest.raises(NotAllowed):
            registry.office.move_application("REQ-7", state, mandate())
    assert registry.list_projects() == []


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
        registry.office.submit(request(**changes), mandate())
    assert registry.office.list_applications() == []


def test_a_request_is_handled_once(registry):
    registry.office.submit(request(), mandate())
    with pytest.raises(NotAllowed, match="'REQ-7' is an application already"):
        registry.office.submit(request(), mandate())
    with pytest.raises(NotAllowed, match="'REQ-7' is an application already"):
        registry.create_project(request(), mandate())  # past the application that waits
    registry.office.approve("REQ-7", mandate())
    registry.create_project(request(reference="REQ-8"), mandate())
    with pytest.raises(NotAllowed, match="'REQ-8' is a project already"):
        registry.office.submit(request(reference="REQ-8"), mandate())


# --- projects ---------------------------------------------------------------------------------------


def test_a_suspended_project_lets_nobody_in_until_it_is_resumed(populated):
    text = token(populated)
    name = reference(populated)
    assert populated.principal(text, NOW)
    populated.office.move_project(name, "suspended", mandate(reason="The coordinator asks."))
    with pytest.raises(TokenRefused) as refused:
        populated.principal(text, NOW)
    assert refused.value.cause == "project: suspended"
    populated.office.move_project(name, "active", mandate())
    assert populated.principal(text, NOW)


def test_an_ended_project_stays_ended(populated):
    text, name = token(populated), reference(populated)
    populated.office.move_project(name, "ended", mandate(reason="Done."))
    with pytest.raises(TokenRefused):
        populated.principal(text, NOW)
    for status in ("active", "suspended", "ended"):
        with pytest.raises(NotAllowed, match="is ended"):
            populated.office.move_project(name, status, mandate())
    with pytest.raises(NotAllowed, match="has ended; further access needs a reasoned request of its own"):
        populated.office.change_project(name, ProjectChange(tier="extended"), mandate())


def test_a_change_holds_at_once_and_every_version_is_kept(populated):
    text, name = token(populated), reference(populated)
    before = populated.principal(text, NOW).scopes
    assert len(before) > 1
    left = frozenset(sorted(before)[:1])
    change = ProjectChange(scopes=left, tier="extended", last_day=NOW.date() + timedelta(days=5))
    populated.office.change_project(name, change, mandate(reason="Amended."))
    principal = populated.principal(text, NOW)
    assert (principal.scopes, principal.tier) == (left, "extended")
    assert principal.expires.date() <= NOW.date() + timedelta(days=6)
    first, second = populated.office.versions(name)
    assert (first.version, second.version) == (1, 2)
    assert set(first.scopes.split()) == before
    assert second.reason == "Amended."
    with pytest.raises(NotAllowed, match="is over, or before the first day"):
        populated.office.change_project(
            name, ProjectChange(last_day=NOW.date() - timedelta(days=1)), mandate()
        )


def test_who_leaves_a_project_is_out_and_others_stay(populated):
    text, name = token(populated), reference(populated)
    populated.office.end_membership(name, EMAIL, mandate(reason="Left the university."))
    with pytest.raises(TokenRefused):
        populated.principal(text, NOW)
    with pytest.raises(UnknownRecord):
        populated.office.end_membership(name, EMAIL, mandate())


def test_projects_that_end_soon_are_listed(populated):
    populated.office.change_project(
        reference(populated), ProjectChange(last_day=NOW.date() + timedelta(days=10)), mandate()
    )
    assert [p.reference for p in populated.office.ending(NOW, 14)] == [reference(populated)]
    assert populated.office.ending(NOW, 5) == []


def test_tokens_that_end_soon_and_have_no_successor_are_listed(populated):
    short = populated.issue_token(NewToken(reference(populated), EMAIL, days=10), mandate())
    replaced = populated.issue_token(NewToken(reference(populated), EMAIL, days=9), mandate())
    populated.issue_token(NewToken(reference(populated), EMAIL, days=90), mandate())
    successor = populated.rotate_token(replaced.token_id, timedelta(days=1), mandate())
    found = ending_tokens(populated.list_tokens(NOW), NOW, 14)
    assert [line.token_id for line in found] == [successor.token_id, short.token_id]
    assert ending_tokens(populated.list_tokens(NOW), NOW, 5) == []
    assert ending_tokens(populated.list_tokens(short.expires), short.expires, 14) == [], (
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
        assert two.office.change_project(name, change, one) is None
        with pytest.raises(NotAllowed, match="another person must"):
            two.office.change_project(name, change, one)
        assert len(two.office.versions(name)) == 1
        (waits,) = two.admins.waiting(NOW)
        assert waits.subject.startswith("prj_")
        elsewhere = ProjectChange(last_day=date(2029, 1, 1))
        assert two.office.change_project(name, elsewhere, other) is None, "another change is another question"
        assert two.office.change_project(name, change, other).version == 2
        less = ProjectChange(scopes=frozenset({"ads:read"}), last_day=NOW.date() + timedelta(days=9))
        assert two.office.change_project(name, less, one).version == 3, "one is enough to take away"
    finally:
        two.close()


def test_the_public_summary_names_no_person(populated):
    (summary,) = populated.office.summaries(NOW)
    assert summary.reference == reference(populated)
    assert set(summary.datasets) <= {"ads", "moderation", "recommendations", "reports"}
    assert "ann" not in repr(summary).lower()
    assert summary.status == "active"
    (over,) = populated.office.summaries(summary.end)
    assert over.status == "ended", "also where nobody has ended it"


# --- notices ----------------------------------------------------------------------------------------


def test_the_coordinator_is_told_of_the_beginning_and_the_end_within_three_working_days(populated):
    (begins,) = populated.office.notices()
    assert begins.kind == "access_begins"
    assert begins.due == after_working_days(begins.at.date(), 3, "IE")
    populated.office.move_project(reference(populated), "ended", mandate(reason="Done."))
    ends = [n for n in populated.office.notices() if n.kind == "access_ends"]
    assert [n.at for n in ends] == [NOW]
    assert not ends[0].late(ends[0].due)
    assert ends[0].late(ends[0].due + timedelta(days=1))
    populated.office.sent(ends[0].notice, mandate(NOW + timedelta(days=1)))
    told = next(n for n in populated.office.notices() if n.notice == ends[0].notice)
    assert told.sent == NOW + timedelta(days=1)
    assert not told.late(date(2030, 1, 1))
    with pytest.raises(UnknownRecord):
        populated.office.sent("ntc_none", mandate())


def test_a_project_that_ends_by_itself_gets_its_notice_once(populated):
    end = populated.list_projects()[0].not_after
    later = end + timedelta(days=2)
    assert populated.office.notice_ends(end - timedelta(seconds=1)) == 0
    assert [populated.office.notice_ends(later) for _ in range(2)] == [1, 0]
    assert sorted(n.kind for n in populated.office.notices()) == ["access_begins", "access_ends"]
    assert next(n for n in populated.office.notices() if n.kind == "access_ends").at == end
    assert populated.verify_audit().events


def test_nobody_joins_a_project_that_was_ended(populated):
    populated.office.move_project(reference(populated), "ended", mandate(reason="Done."))
    late = new_member()
    with pytest.raises(NotAllowed, match="has ended; nobody can join it"):
        populated.add_researcher(
            type(late)(late.project, "Bob", "bob@uni.example", late.institution), mandate()
        )
    assert sorted(n.kind for n in populated.office.notices()) == ["access_begins", "access_ends"]


@pytest.mark.parametrize("by_itself", [True, False])
def test_of_access_that_never_began_no_end_is_told(registry, by_itself):
    project = registry.create_project(new_project(), mandate())
    if by_itself:
        assert registry.office.notice_ends(project.not_after) == 0
    else:
        registry.office.move_project(project.id, "ended", mandate())
    assert registry.office.notices() == ()


@pytest.mark.parametrize("told", [True, False])
def test_of_a_beginning_that_was_called_off_nothing_is_told_or_both(registry, told):
    tomorrow = NOW.date() + timedelta(days=1)
    registry.create_project(replace(new_project(), first_day=tomorrow), mandate())
    registry.add_researcher(new_member(), mandate())
    (begins,) = registry.office.notices()
    if told:
        registry.office.sent(begins.notice, mandate())
    registry.office.move_project(new_project().reference, "ended", mandate())
    assert sorted(n.kind for n in registry.office.notices()) == (
        ["access_begins", "access_ends"] if told else []
    )


def test_the_summary_of_a_project_that_was_ended_early_says_when(populated):
    populated.office.move_project(reference(populated), "ended", mandate(reason="Done."))
    (summary,) = populated.office.summaries(NOW)
    assert (summary.status, summary.end) == ("ended", NOW)


def test_a_member_who_comes_back_comes_in_by_new_tokens_alone(populated):
    before = token(populated)
    populated.office.end_membership(reference(populated), EMAIL, mandate())
    assert {t.state for t in populated.list_tokens(NOW)} == {"revoked"}
    populated.add_researcher(new_member(), mandate(NOW + timedelta(hours=1)))
    later = NOW + timedelta(hours=2)
    with pytest.raises(TokenRefused) as refused:
        populated.principal(before, later)
    assert refused.value.cause == "revoked"
    again = populated.issue_token(NewToken(reference(populated), EMAIL), mandate(later)).text
    assert populated.principal(again, later)
    assert [n.kind for n in populated.office.notices()] == ["access_begins"], "the project's access went on"


def test_a_token_of_a_project_that_was_shortened_is_listed_as_expired(populated):
    token(populated, days=80)
    populated.office.change_project(reference(populated), ProjectChange(last_day=NOW.date()), mandate())
    (line,) = populated.list_tokens(NOW + timedelta(days=2))
    assert line.state == "expired"
    assert line.expires == populated.list_projects()[0].not_after


# --- clocks -----------------------------------------------------------------------------------------


def clocks(registry):
    return {c.kind: (c.due, c.ended is None) for c in registry.office.clocks()}


def test_a_request_that_is_argued_about_keeps_the_clocks_of_the_law(registry):
    day = NOW.date()
    registry.office.submit(request(), mandate())
    assert clocks(registry) == {"amendment": (after_days(day, 15, "IE"), True)}
    registry.office.move_application("REQ-7", "returned", mandate(reason="We do not hold this."))
    assert clocks(registry)["amendment"][1] is False
    assert clocks(registry)["amendment-decision"] == (after_days(day, 15, "IE"), True)
    with pytest.raises(NotAllowed, match="no clock 'mediation-request' running"):
        registry.office.mediate("REQ-7", "asked", mandate())
    registry.office.move_application("REQ-7", "submitted", mandate(reason="The coordinator insists."))
    assert clocks(registry)["mediation-request"] == (after_working_days(day, 5, "IE"), True)
    registry.office.mediate("REQ-7", "asked", mandate())
    found = clocks(registry)
    assert found["mediator"] == (after_working_days(day, 20, "IE"), True)
    assert found["mediation"] == (after_working_days(day, 40, "IE"), True)
    registry.office.mediate("REQ-7", "agreed", mandate())
    registry.office.mediate("REQ-7", "ended", mandate(NOW + timedelta(days=100)))
    found = {c.kind: c for c in registry.office.clocks()}
    assert all(c.ended for c in found.values())
    assert found["mediation"].late(NOW.date())
    assert not found["mediator"].late(NOW.date())
    with pytest.raises(MalformedValue, match="step: 'aksed' is none of asked, agreed, ended"):
        registry.office.mediate("REQ-7", "aksed", mandate())


def test_a_mediation_that_runs_is_not_begun_again(registry):
    registry.office.submit(request(), mandate())
    for state in ("returned", "submitted"):
        registry.office.move_application("REQ-7", state, mandate())
    registry.office.mediate("REQ-7", "asked", mandate())
    for state in ("returned", "submitted"):
        registry.office.move_application("REQ-7", state, mandate(NOW + timedelta(days=2)))
    with pytest.raises(NotAllowed, match="no clock 'mediation-request' running"):
        registry.office.mediate("REQ-7", "asked", mandate(NOW + timedelta(days=3)))
    (mediation,) = [c for c in registry.office.clocks() if c.kind == "mediation"]
    assert (mediation.began, mediation.ended) == (NOW, None)


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_no_clock_runs_once_a_request_is_decided(registry, decision):
    registry.office.submit(request(), mandate())
    for state in ("returned", "submitted"):
        registry.office.move_application("REQ-7", state, mandate())
    if decision == "approved":
        registry.office.approve("REQ-7", mandate())
    else:
        registry.office.move_application("REQ-7", "rejected", mandate())
    assert not [c.kind for c in registry.office.clocks() if c.ended is None]


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
    populated.add_researcher(
        type(first)(first.project, "Bob", "bob@uni.example", first.institution), mandate()
    )
    assert [n.kind for n in populated.office.notices()] == ["access_begins"]


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
    new = populated.rotate_token(old, timedelta(hours=2), mandate())
    assert populated.principal(old, NOW).expires == NOW + timedelta(hours=2)
    assert populated.principal(new.text, NOW).scopes == populated.principal(old, NOW).scopes
    with pytest.raises(TokenRefused) as refused:
        populated.principal(old, NOW + timedelta(hours=2))
    assert refused.value.cause == "revoked"
    assert populated.principal(new.text, NOW + timedelta(hours=2))
    with pytest.raises(NotAllowed, match="was replaced already"):
        populated.rotate_token(old, timedelta(hours=2), mandate())


def test_an_overlap_can_be_cut_short(populated):
    old = token(populated)
    populated.rotate_token(old, timedelta(days=7), mandate())
    assert populated.revoke_token(old, mandate())[1]
    with pytest.raises(TokenRefused):
        populated.principal(old, NOW)
    with pytest.raises(MalformedValue, match="overlap"):
        populated.rotate_token(token(populated), timedelta(days=8), mandate())


def test_a_narrowed_token_keeps_its_text_and_loses_scopes(populated):
    text = token(populated)
    whole = populated.principal(text, NOW).scopes
    left = frozenset(sorted(whole)[:1])
    populated.narrow_token(text, left, mandate())
    assert populated.principal(text, NOW).scopes == left
    with pytest.raises(NotAllowed, match="beyond the token"):
        populated.narrow_token(text, whole, mandate())
    assert populated.rotate_token(text, timedelta(0), mandate())
    assert [line.scopes for line in populated.list_tokens(NOW)] == [" ".join(left)] * 2


def test_a_token_that_was_found_can_be_identified_whatever_became_of_it(populated):
    text = token(populated, label="laptop")
    populated.revoke_token(text, mandate())
    much_later = NOW + timedelta(days=400)
    found = populated.identify_token(text, much_later)
    assert (found.label, found.state, found.researcher) == ("laptop", "revoked", EMAIL)
    for other in ("", "nothing", text[:-2] + "AA", text.replace("e", "f", 1)):
        with pytest.raises(UnknownRecord):
            populated.identify_token(other, NOW)


def test_every_act_is_on_record_and_the_chain_is_whole(populated):
    name = reference(populated)
    before = populated.verify_audit().events
    text = token(populated)
    populated.rotate_token(text, timedelta(0), mandate())
    populated.office.move_project(name, "suspended", mandate())
    populated.office.move_project(name, "active", mandate())
    populated.office.change_project(name, ProjectChange(tier="extended"), mandate())
    populated.office.move_project(name, "ended", mandate())
    assert populated.verify_audit().events == before + 6
