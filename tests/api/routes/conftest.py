"""Clients without a token of their own: tests of routes send one with each request."""

import pytest

from tests.api.conftest import AGGREGATES

QUESTION = f"{AGGREGATES}?measure=actions"


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture(scope="module")
def anyone(deployment):
    many = "100000/minute"
    with deployment.client(limit_open=many, limit_standard=many, limit_attempts=many) as client:
        yield client
