"""Which command runs a test. What a test asks for decides whether it is a unit test, so that nobody has to mark one."""

from __future__ import annotations

import subprocess

import pytest

from tests import live
from tests.deployment import Deployment
from tests.promises.scratch import ScratchCopy

FIXTURES_BEYOND_A_PROCESS = frozenset({"deployment", "corrected", "noisy", "truth", "postgresql", "redis_url", "daylight", "real_data", "echo", "release_root"})  # fmt: skip
"""Fixtures that build releases, start a server or a process, or need a database server or files from elsewhere."""

IMPORTS_BEYOND_A_PROCESS = (
    subprocess,
    live,
    live.running_server,
    live.server_processes,
    Deployment,
    ScratchCopy,
)
"""What a test file imports if its tests start processes or servers or make deployments of their own."""


FOLDERS_BEYOND_A_PROCESS = ("tests/datasets/pipeline/", "tests/datasets/release/store/")
"""Their tests build releases or damage them, which takes about a second each."""


def is_unit_test(test: pytest.Function) -> bool:
    """Whether a test needs nothing but its own process and a temporary folder."""
    return not (
        test.nodeid.startswith(FOLDERS_BEYOND_A_PROCESS)
        or FIXTURES_BEYOND_A_PROCESS.intersection(test.fixturenames)
        or "postgresql" in _parameters(test)
        or any(value is beyond for value in vars(test.module).values() for beyond in IMPORTS_BEYOND_A_PROCESS)
        or test.get_closest_marker("alone")
        or test.get_closest_marker("extended")
    )


def _parameters(test: pytest.Function) -> tuple[object, ...]:
    return tuple(test.callspec.params.values()) if hasattr(test, "callspec") else ()
