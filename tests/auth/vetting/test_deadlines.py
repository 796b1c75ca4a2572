"""The statutory deadlines of a reasoned request, started and stopped by what happens to it."""

from datetime import timedelta

import pytest

from auth.calendar import after_days, after_working_days
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
    assert found["mediation"] == (after_working_days(day, 40, "IE"), True)
    registry.applications.record_mediation_step("REQ-7", "agreed", mandate())
    registry.applications.record_mediation_step("REQ-7", "ended", mandate(NOW + timedelta(days=100)))
    found = {c.kind: c for c in registry.applications.list_deadlines()}
    assert all(c.ended for c in found.values())
    assert found["mediation"].is_late(NOW.date())
    assert not found["mediator"].is_late(NOW.date())
    with pytest.raises(MalformedValue, match="step: 'aksed' is none of asked, agreed, ended"):
        registry.applications.record_mediation_step("REQ-7", "aksed", mandate())


def test_a_running_mediation_is_not_started_again(registry):
    registry.applications.submit(new_request(), mandate())
    for state in ("returned", "submitted"):
        registry.applications.set_state("REQ-7", state, mandate())
    registry.applications.record_mediation_step("REQ-7", "asked", mandate())
    for state in ("returned", "submitted"):
        registry.applications.set_state("REQ-7", state, mandate(NOW + timedelta(days=2)))
    with pytest.raises(NotAllowed, match="no running deadline 'mediation-request', which 'asked' would end"):
        registry.applications.record_mediation_step("REQ-7", "asked", mandate(NOW + timedelta(days=3)))
    (mediation,) = [c for c in registry.applications.list_deadlines() if c.kind == "mediation"]
    assert (mediation.began, mediation.ended) == (NOW, None)


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
