"""Notices to coordinators: when they are added, by when they are due."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from auth.calendar import after_working_days
from auth.errors import UnknownRecord
from tests.auth.conftest import NOW, PROJECT, mandate, new_member, new_project


def test_notices_of_the_beginning_and_the_end_are_due_within_three_working_days(populated):
    (begins,) = populated.notices.list()
    assert begins.kind == "access_begins"
    assert begins.due == after_working_days(begins.at.date(), 3, "IE")
    populated.projects.set_status(PROJECT, "ended", mandate(reason="Done."))
    ends = [n for n in populated.notices.list() if n.kind == "access_ends"]
    assert [n.at for n in ends] == [NOW]
    assert not ends[0].is_late(ends[0].due)
    assert ends[0].is_late(ends[0].due + timedelta(days=1))
    populated.notices.record_sent(ends[0].notice, mandate(NOW + timedelta(days=1)))
    sent = next(n for n in populated.notices.list() if n.notice == ends[0].notice)
    assert sent.sent == NOW + timedelta(days=1)
    assert not sent.is_late(date(2030, 1, 1))
    with pytest.raises(UnknownRecord):
        populated.notices.record_sent("ntc_none", mandate())


def test_a_project_whose_last_day_is_over_gets_one_notice_of_its_end(populated):
    end = populated.projects.list()[0].not_after
    later = end + timedelta(days=2)
    assert populated.notices.add_for_ended_projects(end - timedelta(seconds=1)) == 0
    assert [populated.notices.add_for_ended_projects(later) for _ in range(2)] == [1, 0]
    assert sorted(n.kind for n in populated.notices.list()) == ["access_begins", "access_ends"]
    assert next(n for n in populated.notices.list() if n.kind == "access_ends").at == end
    assert populated.audit.verify().events


@pytest.mark.parametrize("by_itself", [True, False])
def test_a_project_without_members_gets_no_notice_of_its_end(registry, by_itself):
    project = registry.projects.create(new_project(), mandate())
    if by_itself:
        assert registry.notices.add_for_ended_projects(project.not_after) == 0
    else:
        registry.projects.set_status(project.id, "ended", mandate())
    assert registry.notices.list() == ()


@pytest.mark.parametrize("was_sent", [True, False])
def test_an_end_before_the_first_day_is_notified_only_if_the_beginning_was(registry, was_sent):
    tomorrow = NOW.date() + timedelta(days=1)
    registry.projects.create(replace(new_project(), first_day=tomorrow), mandate())
    registry.projects.add_member(new_member(), mandate())
    (begins,) = registry.notices.list()
    if was_sent:
        registry.notices.record_sent(begins.notice, mandate())
    registry.projects.set_status(new_project().reference, "ended", mandate())
    assert sorted(n.kind for n in registry.notices.list()) == (
        ["access_begins", "access_ends"] if was_sent else []
    )


def test_a_second_member_makes_no_second_notice_of_the_beginning(populated):
    populated.projects.add_member(new_member(email="bob@uni.example", name="Bob"), mandate())
    assert [n.kind for n in populated.notices.list()] == ["access_begins"]
