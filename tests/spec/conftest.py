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


class Command:
    """Runs the command `daylight` in a clean environment, with its files in `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("DAYLIGHT_")}

    def __call__(
        self, *arguments: object, check: bool = True, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end and return the finished process; unless `check` is False, ensure that it exits with 0."""
        command = [str(Path(sys.executable).with_name("daylight")), *map(str, arguments)]
        settings = {**self.env, "DAYLIGHT_HOME": str(self.home), "COLUMNS": "200", **more}
        ended = subprocess.run(
            command, capture_output=True, text=True, env=settings, timeout=600, check=False
        )
        if check:
            assert ended.returncode == 0, ended.stderr
        return ended


@pytest.fixture(scope="session")
def daylight(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The command `daylight` as a function, with a home of its own."""
    return Command(tmp_path_factory.mktemp("home"))
