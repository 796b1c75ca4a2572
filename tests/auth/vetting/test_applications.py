"""Reasoned requests: submitted, returned, approved or rejected, each step allowed or refused."""

from datetime import timedelta

import pytest

from auth.errors import MalformedValue, NotAllowed
from tests.auth.conftest import NOW, mandate, new_request


def test_an_approved_request_becomes_a_project_of_the_same_terms(registry):
    made = registry.applications.submit(new_request(), mandate())
    assert (made.state, made.amendment_by) == ("submitted", NOW.date() + timedelta(days=15))
    project = registry.applications.approve("REQ-7", mandate(reason="The request is in order."))
    assert (project.reference, project.scopes, project.status) == (
        "REQ-7",
        "ads:read moderation:read",
        "active",
    )
    (application,) = registry.applications.list()
    assert (application.state, application.project_id) == ("approved", project.id)


def test_a_request_can_be_returned_and_resubmitted_until_it_is_decided(registry):
    registry.applications.submit(new_request(), mandate())
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
        ({"dsc": "UK"}, MalformedValue, "dsc: 'UK' is not a member state"),
        ({"modality": "raw"}, MalformedValue, "modality: 'raw' is not offered; write token_aggregates"),
        ({"last_day": NOW.date() - timedelta(days=1)}, NotAllowed, "lies before the first day"),
        ({"reference": " "}, MalformedValue, "reference"),
        ({"tier": "gold"}, MalformedValue, "tier"),
    ],
)
def test_an_invalid_request_is_refused(registry, changes, refusal, words):
    with pytest.raises(refusal, match=words):
        registry.applications.submit(new_request(**changes), mandate())
    assert registry.applications.list() == []


def test_a_request_is_handled_once(registry):
    registry.applications.submit(new_request(), mandate())
    with pytest.raises(NotAllowed, match="'REQ-7' is an application already"):
        registry.applications.submit(new_request(), mandate())
    with pytest.raises(NotAllowed, match="'REQ-7' is an application already"):
        registry.projects.create(new_request(), mandate())  # past the application that waits
    registry.applications.approve("REQ-7", mandate())
    registry.projects.create(new_request(reference="REQ-8"), mandate())
    with pytest.raises(NotAllowed, match="'REQ-8' is a project already"):
        registry.applications.submit(new_request(reference="REQ-8"), mandate())
