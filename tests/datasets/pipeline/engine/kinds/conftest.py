"""The connection that the tests of this folder share is closed at their end."""

from collections.abc import Iterator

import pytest

from tests.datasets.pipeline.engine.kinds.narrow_rows import shared_connection


@pytest.fixture(scope="package", autouse=True)
def closed_connection() -> Iterator[None]:
    yield
    shared_connection().close()
    shared_connection.cache_clear()
