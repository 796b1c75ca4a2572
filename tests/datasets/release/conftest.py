"""Releases for the tests: three months of a harvest, pressed once, and copies of them to be damaged."""

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
from tests.datasets.release.pressing import press, verify

MAY = Month(2026, 5)

Ask = Callable[..., Result]


@pytest.fixture(scope="session")
def pressed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """May in one revision; June in two, of which the second is current."""
    root = tmp_path_factory.mktemp("pressed")
    press(root, month=MAY, seed=5)
    press(root, month=JUNE, seed=6)
    press(root, month=JUNE, seed=7, revision=2)
    return root


@pytest.fixture(scope="session")
def june(pressed: Path) -> Naive:
    return Naive(pressed / "harvest" / "2026-06.2")


@pytest.fixture(scope="session")
def may(pressed: Path) -> Naive:
    return Naive(pressed / "harvest" / "2026-05.1")


@pytest.fixture(scope="session")
def releases(pressed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Releases]:
    with_cache = Releases(pressed, tmp_path_factory.mktemp("cache"), verify, ("harvest",))
    yield with_cache
    with_cache.close()


@pytest.fixture(scope="session")
def ask(releases: Releases) -> Ask:
    """Ask the harvest a question written as in a URL: `ask(measure="crates", group_by="kind")`."""

    def answer(**parameters: str) -> Result:
        return releases.ask(releases.question("harvest", list(parameters.items())))

    return answer


@pytest.fixture
def root(pressed: Path, tmp_path: Path) -> Path:
    """A copy of the pressed releases, to be changed."""
    return Path(shutil.copytree(pressed, tmp_path / "releases"))


@pytest.fixture
def opened(root: Path, tmp_path: Path) -> Iterator[Releases]:
    """The releases of `root`, which look at the pointers whenever they are asked."""
    fresh = Releases(root, tmp_path / "cache", verify, ("harvest",), refresh_seconds=-1.0)
    yield fresh
    fresh.close()
