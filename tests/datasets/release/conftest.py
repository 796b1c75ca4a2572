"""Releases for the tests: three months of a harvest, release_root once, and copies of them to be damaged."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from datasets.period import Month
from datasets.release.answer.table import Result
from datasets.release.releases import Releases
from tests.datasets.pipeline.small_dataset import JUNE
from tests.datasets.release.naive import Naive
from tests.datasets.release.small_release import verify, write_release

MAY = Month(2026, 5)

Ask = Callable[..., Result]


@pytest.fixture(scope="session")
def release_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """May in one revision; June in two, of which the second is current."""
    root = tmp_path_factory.mktemp("release_root")
    write_release(root, month=MAY, seed=5)
    write_release(root, month=JUNE, seed=6)
    write_release(root, month=JUNE, seed=7, revision=2)
    return root


@pytest.fixture(scope="session")
def june(release_root: Path) -> Naive:
    return Naive(release_root / "harvest" / "2026-06.2")


@pytest.fixture(scope="session")
def may(release_root: Path) -> Naive:
    return Naive(release_root / "harvest" / "2026-05.1")


@pytest.fixture(scope="session")
def releases(release_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Releases]:
    with_cache = Releases(release_root, tmp_path_factory.mktemp("cache"), verify, ("harvest",))
    yield with_cache
    with_cache.close()


@pytest.fixture(scope="session")
def ask(releases: Releases) -> Ask:
    """Ask the harvest a question with parameters as in a URL: `ask(measure="crates", group_by="kind")`."""

    def answer(**parameters: str) -> Result:
        return releases.ask(releases.question("harvest", list(parameters.items())))

    return answer


@pytest.fixture
def root(release_root: Path, tmp_path: Path) -> Path:
    """A copy of the release_root releases, to be changed."""
    return Path(shutil.copytree(release_root, tmp_path / "releases"))


@pytest.fixture
def reader(root: Path, tmp_path: Path) -> Iterator[Releases]:
    """A reader of `root` that looks at the pointers whenever it is asked."""
    fresh = Releases(root, tmp_path / "cache", verify, ("harvest",), refresh_seconds=-1.0)
    yield fresh
    fresh.close()
