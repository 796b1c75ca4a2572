"""Hypothesis profiles, the order of test files, and the fixtures of deployments with releases that all tests share."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from xdist.scheduler.loadfile import LoadFileScheduling

from tests.deployment import Deployment
from tests.postgresql import postgresql as postgresql
from tests.selection import is_unit_test

SharedFolder = Callable[[str, Callable[[Path], None]], Path]

settings.register_profile("laptop", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile(
    "promises", settings.get_profile("ci"), phases=(Phase.explicit, Phase.generate)
)  # no shrinking
settings.load_profile("ci" if os.environ.get("CI") else "laptop")


LONGEST = (
    "tests/spec/test_random_questions.py", "tests/datasets/reports", "tests/spec/test_fuzzing.py",
    "tests/spec/test_end_to_end.py", "tests/spec/test_new_releases.py", "tests/spec/test_kills.py",
    "tests/auth/audit/test_chain.py", "tests/api/query/test_corrections.py", "tests/datasets/pipeline/audit/test_attack.py",
    "tests/datasets/release/answer/test_serving_copy.py", "tests/api/access/test_scope_matrix.py", "tests/api/access/test_rate_limits.py",
    "tests/datasets/pipeline/test_interruption.py", "tests/datasets/privacy/test_coverage.py", "tests/spec/test_real_input.py",
    "tests/spec/test_published_reports.py", "tests/api/access/test_throttle.py", "tests/api/routes/admin/test_names.py", "tests/test_repository.py", "tests/test_locks.py",
)  # fmt: skip
"""Files that take longer than about ten seconds. They start first, so that all processes end at about the same time."""


def _file_of(nodeid: str) -> str:
    """The unit of work for one process: a file, or all files of reports, since they share releases that take long to build."""
    file = nodeid.split("::", 1)[0]
    return "tests/datasets/reports" if file.startswith("tests/datasets/reports") else file


class ByFile(LoadFileScheduling):
    """Gives files to the processes in the order in which they were collected."""

    def _split_scope(self, nodeid):
        return _file_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    config.option.loadscopereorder = False
    return ByFile(config, log)


@pytest.hookimpl(tryfirst=True)  # before tests are selected by their markers
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {file: position for position, file in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(_file_of(item.nodeid), len(LONGEST)))
    for item in items:
        if isinstance(item, pytest.Function) and _file_of(item.nodeid) not in order and is_unit_test(item):
            item.add_marker("unit")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> SharedFolder:
    """Folders that all processes of a run share. The first process to need one makes it under a lock; the others wait.

    `DAYLIGHT_TEST_SHARED` names a folder for several runs of the same code (`python -m tests.promises`).
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    if several_runs := os.environ.get("DAYLIGHT_TEST_SHARED"):
        shared = Path(several_runs)
        shared.mkdir(exist_ok=True)

    def find_or_make(name: str, make: Callable[[Path], None]) -> Path:
        folder, unfinished = shared / name, shared / f"{name}.unfinished"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                shutil.rmtree(unfinished, ignore_errors=True)
                make(unfinished)
                unfinished.rename(folder)
        return folder

    return find_or_make


def _open_copy(shared: Path, home: Path) -> Deployment:
    """A deployment for one process: a copy of the shared folder, which no process opens."""
    shutil.copytree(shared, home)
    return Deployment(home)


@pytest.fixture(scope="session")
def deployment(shared_folder: SharedFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A registry, a ledger and signed releases of moderation for May and June 2026, made as an admin makes them.

    Tests share it and must not change it. A test that changes a deployment takes a copy.
    """

    def make(home: Path) -> None:
        new = Deployment(home)
        for month in ("2026-05", "2026-06"):
            new.release("moderation", month)
        new.make_serving_copies()
        new.close()

    made = _open_copy(shared_folder("deployment", make), tmp_path_factory.mktemp("deployment") / "home")
    yield made
    made.close()


@pytest.fixture(scope="session")
def corrected(
    deployment: Deployment, shared_folder: SharedFolder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """The same deployment after a correction of June. Tests must not change it either."""

    def make(home: Path) -> None:
        new = deployment.copy(home)
        new.release("moderation", "2026-06", correction="A second count.", rows=2_000)
        new.make_serving_copies()
        new.close()

    made = _open_copy(shared_folder("corrected", make), tmp_path_factory.mktemp("corrected") / "home")
    yield made
    made.close()
