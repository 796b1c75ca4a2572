"""Progress: numbers of rows reach the screen of whoever builds, and nothing else."""

import sys
import time

from cli.progress import progress
from datasets.pipeline.state.context import STEPS


def told(capfd):
    with progress() as (said, passed):
        said(STEPS[0])
        passed(123_457, 987_643)
        time.sleep(0.5)  # it is drawn ten times a second
        said(STEPS[1])
    return capfd.readouterr().err


def test_where_stderr_is_no_terminal_only_steps_are_named(capfd, monkeypatch):
    for pretended in ("", "1"):
        monkeypatch.setenv("FORCE_COLOR", pretended)
        text = told(capfd)
        assert STEPS[1] in text
        assert not any(word in text for word in ("rows/s", "987", "123", "%", "12"))


def test_on_a_terminal_the_speed_is_shown(capfd, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = []
    monkeypatch.setattr(
        "cli.progress._RowsPerSecond.render", lambda self, task: shown.append(task.total) or "rows/s"
    )
    told(capfd)
    assert 987_643 in shown
