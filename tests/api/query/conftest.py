"""A deployment in which a release was withdrawn."""

import pytest

from tests.api.query.corrections import withdraw_release


@pytest.fixture(scope="package")
def withdrawn(deployment, tmp_path_factory):
    """A copy of the deployment in which May was withdrawn."""
    copy = deployment.copy(tmp_path_factory.mktemp("corrected") / "home")
    assert withdraw_release(copy, "2026-05.1") is None
    yield copy
    copy.close()


@pytest.fixture(scope="package")
def reader(withdrawn):
    with withdrawn.client(withdrawn.token(), limit_open="100000/minute") as client:
        yield client
