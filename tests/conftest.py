"""What the whole suite shares: one way for hypothesis to search, and one deployment with real releases."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.scheduler.loadfile import LoadFileScheduling

from tests.deployment import Deployment
from tests.postgresql import postgresql as postgresql

MadeOnce = Callable[[str, Callable[[Path], None]], Path]

settings.register_profile("laptop", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "laptop")


LONGEST = (
    "tests/spec/test_a_thousand_questions.py", "tests/datasets/reports", "tests/spec/test_fuzzing.py",
    "tests/spec/test_the_whole_way.py", "tests/spec/test_new_releases.py", "tests/spec/test_kills.py",
    "tests/auth/audit/test_log.py", "tests/api/query/test_corrections.py", "tests/datasets/pipeline/audit/test_attack.py",
    "tests/datasets/release/answer/test_serving_copy.py", "tests/api/access/test_scope_matrix.py", "tests/api/access/test_rate_limits.py",
    "tests/datasets/pipeline/test_interruption.py", "tests/datasets/privacy/test_coverage.py", "tests/spec/test_real_input.py",
    "tests/spec/test_published_reports.py", "tests/api/access/test_throttle.py", "tests/api/routes/admin/test_names.py", "tests/test_repository.py",
)  # fmt: skip
"""What takes longer than ten seconds or so is begun first, so that no process waits for another in the end."""


def _file_of(nodeid: str) -> str:
    """The tests of a file run in one process, and all of reports in one, since their releases take long to build."""
    file = nodeid.split("::", 1)[0]
    return "tests/datasets/reports" if file.startswith("tests/datasets/reports") else file


class ByFile(LoadFileScheduling):
    """Deals out files in the order in which they were collected."""

    def _split_scope(self, nodeid):
        return _file_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {file: place for place, file in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(_file_of(item.nodeid), len(LONGEST)))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Folders that all processes of a run share: whoever asks first makes one, whoever asks meanwhile waits."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def made(name: str, make: Callable[[Path], None]) -> Path:
        folder, unfinished = shared / name, shared / f"{name}.unfinished"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                shutil.rmtree(unfinished, ignore_errors=True)
                make(unfinished)
                unfinished.rename(folder)
        return folder

    return made


def _copied(once: Path, home: Path) -> Deployment:
    """A copy for one process of what all share and none opens."""
    shutil.copytree(once, home)
    return Deployment(home)


@pytest.fixture(scope="session")
def deployment(made_once: MadeOnce, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A registry, a ledger and signed releases of moderation for May and June 2026, made as an admin makes them.

    Tests share it and must not change it; those that must take a copy.
    """

    def make(home: Path) -> None:
        new = Deployment(home)
        for month in ("2026-05", "2026-06"):
            new.release("moderation", month)
        new.open_once()
        new.close()

    made = _copied(made_once("deployment", make), tmp_path_factory.mktemp("deployment") / "home")
    yield made
    made.close()


@pytest.fixture(scope="session")
def corrected(
    deployment: Deployment, made_once: MadeOnce, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """The same deployment after June was corrected. To be shared in the same way."""

    def make(home: Path) -> None:
        new = deployment.copy(home)
        new.release("moderation", "2026-06", correction="A second count.", rows=2_000)
        new.open_once()
        new.close()

    made = _copied(made_once("corrected", make), tmp_path_factory.mktemp("corrected") / "home")
    yield made
    made.close()
