"""Fixtures: real input files from elsewhere, and the command `daylight` in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data():
    """The folder of real files: statements of reasons, Open Bandit logs, transparency reports.

    If it is missing, tests that need it fail in CI and are skipped with a message elsewhere.
    """
    folder = Path(os.environ.get("DAYLIGHT_REAL_DATA") or Path(__file__).parents[3] / "shared" / "data")
    if not (folder / "statements-of-reasons").is_dir():
        missing = "no real data; name its folder with DAYLIGHT_REAL_DATA"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(f"LEFT OUT: {missing}")
    return folder


@pytest.fixture(scope="session")
def daylight(tmp_path_factory):
    """A function that runs the command `daylight` in a clean environment and returns the finished process."""
    home = tmp_path_factory.mktemp("home")
    env = {name: value for name, value in os.environ.items() if not name.startswith("DAYLIGHT_")}

    def run(*arguments, check=True, **more):
        command = [str(Path(sys.executable).with_name("daylight")), *map(str, arguments)]
        settings = {**env, "DAYLIGHT_HOME": str(home), "COLUMNS": "200", **more}
        ended = subprocess.run(
            command, capture_output=True, text=True, env=settings, timeout=120, check=False
        )
        if check:
            assert ended.returncode == 0, ended.stderr
        return ended

    run.home, run.env = home, env
    return run
