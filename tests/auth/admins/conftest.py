"""An owner and a withdrawal, for the tests of admins."""

import pytest

from auth.registry import open_registry
from tests.auth.conftest import mandate

WITHDRAWAL = "moderation/2026-06.1"


@pytest.fixture
def owner(registry):
    return registry.admins.add("An Owner", "owner@example.org", "owner", mandate())


@pytest.fixture
def dual_control(settings):
    """A registry in which the withdrawal of a release needs the consent of two persons."""
    opened = open_registry(settings.model_copy(update={"four_eyes": "release-withdrawal"}))
    yield opened
    opened.close()


def open_session(registry, minutes=30):
    return registry.sessions.open("owner@example.org", minutes, mandate())
