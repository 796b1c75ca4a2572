"""Clients without a token of their own: tests of routes send one with each request."""

import pytest

from tests.api.conftest import AGGREGATES

QUESTION = f"{AGGREGATES}?measure=actions"


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture(scope="module")
def anyone(deployment):
    with deployment.client(limit_open="100000/minute", limit_standard="100000/minute") as client:
        yield client
