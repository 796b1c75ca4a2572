"""A deployment with an owner's client, and the bodies that tests of admin routes send."""

import pytest

from tests.api.routes.conftest import QUESTION as QUESTION

REQUEST = {
    "reference": "REQ-HTTP", "dsc": "IE", "purpose": "Systemic risks", "scopes": "moderation:read",
    "first_day": "2026-01-01", "last_day": "2030-01-01", "reason": "received",
}  # fmt: skip
REASON = {"reason": "as decided"}


@pytest.fixture
def place(deployment, tmp_path):
    copy = deployment.copy(tmp_path / "home")
    yield copy
    copy.close()


@pytest.fixture
def owner(place):
    with place.client(place.session()) as client:
        yield client


def question_status(place, token):
    """The status of a question that is sent with this token."""
    with place.client(token) as client:
        return client.get(QUESTION).status_code
