"""Numbers of rows are shown on a terminal only; they never reach a pipe or a log."""

import sys

from cli.progress import progress
from datasets.pipeline.state.context import STEPS
from tests.waiting import wait_until


def run_two_steps(capfd, drawn=lambda: True):
    """Run two steps of a progress bar; the second begins when `drawn` is true."""
    with progress() as (on_step, on_progress):
        on_step(STEPS[0])
        on_progress(123_457, 987_643)
        wait_until(drawn, "the picture of the first step")  # rich draws ten times a second
        on_step(STEPS[1])
    return capfd.readouterr().err


def test_only_the_steps_are_named_if_stderr_is_not_a_terminal(capfd, monkeypatch):
    for force_color in ("", "1"):
        monkeypatch.setenv("FORCE_COLOR", force_color)
        text = run_two_steps(capfd)
        assert STEPS[1] in text
        assert not any(word in text for word in ("rows/s", "987", "123", "%", "12"))


def test_on_a_terminal_the_speed_is_shown(capfd, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = []

    def render(self, task):
        shown.append(task.total)
        return "rows/s"

    monkeypatch.setattr("cli.progress._RowsPerSecond.render", render)
    run_two_steps(capfd, lambda: 987_643 in shown)
    assert 987_643 in shown
