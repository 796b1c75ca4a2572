"""One server for all tests of what it reads."""

import pytest

from tests.api.server.echo import running_echo


@pytest.fixture(scope="package")
def echo():
    with running_echo() as app:
        yield app
