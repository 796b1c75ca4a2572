"""The statutory deadlines of a reasoned request, started and stopped by what happens to it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from auth.calendar import after_days, after_working_days, working_days_from
from auth.errors import MalformedValue, NotAllowed
from tests.auth.conftest import NOW, mandate, new_request


def deadlines(registry):
    """For each kind of deadline, the day on which it is due and whether it is running."""
    return {c.kind: (c.due, c.ended is None) for c in registry.applications.list_deadlines()}


def test_returning_resubmitting_and_mediation_start_and_stop_the_statutory_deadlines(registry):
    day = NOW.date()
    registry.applications.submit(new_request(), mandate())
    assert deadlines(registry) == {"amendment": (after_days(day, 15, "IE"), True)}
    registry.applications.set_state("REQ-7", "returned", mandate(reason="We do not hold this."))
    assert deadlines(registry)["amendment"][1] is False
    assert deadlines(registry)["amendment-decision"] == (after_days(day, 15, "IE"), True)
    with pytest.raises(NotAllowed, match="no running deadline 'mediation-request', which 'asked' would end"):
        registry.applications.record_mediation_step("REQ-7", "asked", mandate())
    registry.applications.set_state("REQ-7", "submitted", mandate(reason="The coordinator insists."))
    assert deadlines(registry)["mediation-request"] == (after_working_days(day, 5, "IE"), True)
    registry.applications.record_mediation_step("REQ-7", "asked", mandate())
    found = deadlines(registry)
    assert found["mediator"] == (after_working_days(day, 20, "IE"), True)
    assert "mediation" not in found
    begun = NOW + timedelta(days=20)
    registry.applications.record_mediation_step("REQ-7", "agreed", mandate(begun))
    assert deadlines(registry)["mediation"] == (working_days_from(begun.date(), 40, "IE"), True)
    registry.applications.record_mediation_step("REQ-7", "ended", mandate(NOW + timedelta(days=100)))
    found = {c.kind: c for c in registry.applications.list_deadlines()}
    assert all(c.ended for c in found.values())
    assert found["mediation"].is_late(NOW.date())
    assert not found["mediator"].is_late(NOW.date())
    with pytest.raises(MalformedValue, match="step: 'aksed' is none of asked, agreed, ended"):
        registry.applications.record_mediation_step("REQ-7", "aksed", mandate())


def test_the_forty_days_of_a_mediation_begin_when_it_begins_not_when_it_is_asked_for(registry):
    registry.applications.submit(new_request(), mandate())
    for state in ("returned", "submitted"):
        registry.applications.set_state("REQ-7", state, mandate())
    asked, begun = datetime(2026, 12, 8, 9, tzinfo=UTC), datetime(2026, 12, 21, 9, tzinfo=UTC)
    registry.applications.record_mediation_step("REQ-7", "asked", mandate(asked))
    assert deadlines(registry)["mediator"] == (date(2027, 1, 7), True)
    registry.applications.record_mediation_step("REQ-7", "agreed", mandate(begun))
    assert deadlines(registry)["mediation"] == (date(2027, 2, 17), True)


def test_a_mediation_that_finds_no_mediator_can_end(registry):
    registry.applications.submit(new_request(), mandate())
    for state in ("returned", "submitted"):
        registry.applications.set_state("REQ-7", state, mandate())
    registry.applications.record_mediation_step("REQ-7", "asked", mandate())
    registry.applications.record_mediation_step("REQ-7", "ended", mandate(NOW + timedelta(days=50)))
    assert [kind for kind, (_, running) in deadlines(registry).items() if running] == []
    with pytest.raises(NotAllowed, match="no running deadline 'mediation', which 'ended' would end"):
        registry.applications.record_mediation_step("REQ-7", "ended", mandate(NOW + timedelta(days=51)))


def test_a_running_mediation_is_not_started_again(registry):
    registry.applications.submit(new_request(), mandate())
    for state in ("returned", "submitted"):
        registry.applications.set_state("REQ-7", state, mandate())
    registry.applications.record_mediation_step("REQ-7", "asked", mandate())
    for state in ("returned", "submitted"):
        registry.applications.set_state("REQ-7", state, mandate(NOW + timedelta(days=2)))
    with pytest.raises(NotAllowed, match="no running deadline 'mediation-request', which 'asked' would end"):
        registry.applications.record_mediation_step("REQ-7", "asked", mandate(NOW + timedelta(days=3)))
    (mediator,) = [c for c in registry.applications.list_deadlines() if c.kind == "mediator"]
    assert (mediator.began, mediator.ended) == (NOW, None)


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_no_deadline_runs_once_a_request_is_decided(registry, decision):
    registry.applications.submit(new_request(), mandate())
    for state in ("returned", "submitted"):
        registry.applications.set_state("REQ-7", state, mandate())
    if decision == "approved":
        registry.applications.approve("REQ-7", mandate())
    else:
        registry.applications.set_state("REQ-7", "rejected", mandate())
    assert not [c.kind for c in registry.applications.list_deadlines() if c.ended is None]
