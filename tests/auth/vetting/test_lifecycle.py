"""Projects: suspended, ended, changed, extended under dual control; and members who leave and return."""

from datetime import date, timedelta

import pytest

from auth.audit.chain import Mandate
from auth.errors import NotAllowed, TokenRefused, UnknownRecord
from auth.registry import open_registry
from auth.vetting.lifecycle import ProjectChange
from tests.auth.conftest import MEMBER, NOW, PROJECT, ask, mandate, new_member, token_text


def test_tokens_of_a_suspended_project_are_refused_until_it_is_resumed(populated):
    text = token_text(populated)
    assert populated.authenticator.principal(text, NOW)
    populated.projects.set_status(PROJECT, "suspended", mandate(reason="The coordinator asks."))
    with pytest.raises(TokenRefused) as refused:
        populated.authenticator.principal(text, NOW)
    assert refused.value.cause == "project: suspended"
    populated.projects.set_status(PROJECT, "active", mandate())
    assert populated.authenticator.principal(text, NOW)


def test_an_ended_project_stays_ended(populated):
    text = token_text(populated)
    populated.projects.set_status(PROJECT, "ended", mandate(reason="Done."))
    with pytest.raises(TokenRefused):
        populated.authenticator.principal(text, NOW)
    for status in ("active", "suspended", "ended"):
        with pytest.raises(NotAllowed, match="is ended"):
            populated.projects.set_status(PROJECT, status, mandate())
    with pytest.raises(NotAllowed, match="has ended; further access needs a reasoned request of its own"):
        populated.projects.change(PROJECT, ProjectChange(tier="extended"), mandate())


def test_a_change_holds_at_once_and_every_version_is_kept(populated):
    text = token_text(populated)
    before = populated.authenticator.principal(text, NOW).scopes
    assert len(before) > 1
    left = frozenset(sorted(before)[:1])
    change = ProjectChange(scopes=left, tier="extended", last_day=NOW.date() + timedelta(days=5))
    populated.projects.change(PROJECT, change, mandate(reason="Amended."))
    principal = populated.authenticator.principal(text, NOW)
    assert (principal.scopes, principal.tier) == (left, "extended")
    assert principal.expires.date() <= NOW.date() + timedelta(days=6)
    first, second = populated.projects.list_versions(PROJECT)
    assert (first.version, second.version) == (1, 2)
    assert set(first.scopes.split()) == before
    assert second.reason == "Amended."
    with pytest.raises(NotAllowed, match="is over, or before the first day"):
        populated.projects.change(PROJECT, ProjectChange(last_day=NOW.date() - timedelta(days=1)), mandate())


def test_a_member_who_leaves_a_project_loses_access(populated):
    text = token_text(populated)
    populated.projects.end_membership(PROJECT, MEMBER, mandate(reason="Left the university."))
    with pytest.raises(TokenRefused):
        populated.authenticator.principal(text, NOW)
    with pytest.raises(UnknownRecord):
        populated.projects.end_membership(PROJECT, MEMBER, mandate())


def test_nobody_can_join_an_ended_project(populated):
    populated.projects.set_status(PROJECT, "ended", mandate(reason="Done."))
    with pytest.raises(NotAllowed, match="has ended; nobody can join it"):
        populated.projects.add_member(new_member(email="bob@uni.example", name="Bob"), mandate())
    assert sorted(n.kind for n in populated.notices.list()) == ["access_begins", "access_ends"]


def test_a_member_who_returns_needs_new_tokens(populated):
    before = token_text(populated)
    populated.projects.end_membership(PROJECT, MEMBER, mandate())
    assert {t.state for t in populated.tokens.list(NOW)} == {"revoked"}
    populated.projects.add_member(new_member(), mandate(NOW + timedelta(hours=1)))
    later = NOW + timedelta(hours=2)
    with pytest.raises(TokenRefused) as refused:
        populated.authenticator.principal(before, later)
    assert refused.value.cause == "revoked"
    again = populated.tokens.issue(ask(), mandate(later)).text
    assert populated.authenticator.principal(again, later)
    assert [n.kind for n in populated.notices.list()] == ["access_begins"], "the project's access went on"


def test_projects_that_end_soon_are_listed(populated):
    populated.projects.change(PROJECT, ProjectChange(last_day=NOW.date() + timedelta(days=10)), mandate())
    assert [p.reference for p in populated.projects.list_ending(NOW, 14)] == [PROJECT]
    assert populated.projects.list_ending(NOW, 5) == []


@pytest.mark.parametrize(
    "change",
    [
        ProjectChange(scopes=frozenset({"ads:read", "moderation:read", "reports:read"})),
        ProjectChange(tier="extended"),
        ProjectChange(last_day=date(2028, 1, 1)),
    ],
)
def test_under_dual_control_two_people_must_agree_to_extend_a_project(populated, settings, change):
    one, other = mandate(), Mandate("cli:another", "as amended", NOW)
    two = open_registry(settings.model_copy(update={"four_eyes": "project-approval"}))
    try:
        assert two.projects.change(PROJECT, change, one) is None
        with pytest.raises(NotAllowed, match="another person must"):
            two.projects.change(PROJECT, change, one)
        assert len(two.projects.list_versions(PROJECT)) == 1
        (pending,) = two.consents.list_pending(NOW)
        assert pending.subject.startswith("prj_")
        elsewhere = ProjectChange(last_day=date(2029, 1, 1))
        assert two.projects.change(PROJECT, elsewhere, other) is None, "another change is another question"
        changed = two.projects.change(PROJECT, change, other)
        assert changed is not None and changed.version == 2
        less = ProjectChange(scopes=frozenset({"ads:read"}), last_day=NOW.date() + timedelta(days=9))
        lessened = two.projects.change(PROJECT, less, one)
        assert lessened is not None and lessened.version == 3, "one is enough to take away"
    finally:
        two.close()


def test_every_change_has_an_audit_event_and_the_chain_is_intact(populated):
    before = populated.audit.verify().events
    text = token_text(populated)
    populated.tokens.rotate(text, timedelta(0), mandate())
    populated.projects.set_status(PROJECT, "suspended", mandate())
    populated.projects.set_status(PROJECT, "active", mandate())
    populated.projects.change(PROJECT, ProjectChange(tier="extended"), mandate())
    populated.projects.set_status(PROJECT, "ended", mandate())
    assert populated.audit.verify().events == before + 6
