"""Releases for the tests of reports, and the truth of June."""

from __future__ import annotations

import pytest

from tests.datasets.pipeline.small_deployment import no_noise
from tests.datasets.reports.builds import build, events, opened


@pytest.fixture(scope="session")
def raw(tmp_path_factory):
    return tmp_path_factory.mktemp("raw")


@pytest.fixture(scope="session")
def noisy(raw, tmp_path_factory):
    """May and June of moderation, June of ads and recommendations."""
    root = tmp_path_factory.mktemp("noisy")
    for dataset, month in (
        ("moderation", "2026-05"),
        ("moderation", "2026-06"),
        ("ads", "2026-06"),
        ("recommendations", "2026-06"),
    ):
        build(root, events(raw, dataset, month), dataset, month)
    with_cache = opened(root)
    yield with_cache
    with_cache.close()


@pytest.fixture(scope="session")
def truth(raw, tmp_path_factory):
    """June of every dataset, bounded and counted as always, and published without noise: possible in tests alone."""
    root = tmp_path_factory.mktemp("truth")
    for dataset in ("moderation", "ads", "recommendations"):
        build(root, events(raw, dataset, "2026-06"), dataset, "2026-06", no_noise)
    with_cache = opened(root)
    yield with_cache
    with_cache.close()
