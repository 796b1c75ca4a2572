"""`daylight ledger show` and `verify` on a ledger of version 0.1.0 and on one that spends in both classes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.ledger import ledger_commands
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.pipeline.state.signing import ReleaseSigner
from datasets.privacy.ledger import PERSON, Spend
from datasets.release.format import layout
from tests.datasets.release.small_release import sign, verify
from tests.frozen import FIRST, FIRST_HEAD, first_ledger

Run = Callable[..., Result]


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    """The address of a ledger that version 0.1.0 wrote and published."""
    releases = tmp_path / "releases"
    releases.mkdir()
    layout.ledger_file(releases).write_bytes((FIRST / "ledger").read_bytes())
    return first_ledger(f"sqlite:///{tmp_path / 'private' / 'ledger.sqlite'}")


@pytest.fixture
def daylight_ledger(ledger: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("DAYLIGHT_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "400")
    commands = ledger_commands(lambda: ReleaseSigner(sign, verify))
    return lambda *words: CliRunner().invoke(commands, list(words))


def test_an_earlier_ledger_is_shown_with_its_fullest_twelve_months(daylight_ledger: Run) -> None:
    shown = daylight_ledger("show")
    assert shown.exit_code == 0, shown.output
    assert "sellers\u2019 accounts were counted as persons" in shown.stdout
    assert shown.stdout.splitlines()[-1] == (
        "2026-02: 0.104 of 0.5 rho spent on each person, over all datasets; 3.352 of 3 in 2025-03 to 2026-02, the fullest "
        "twelve months with it"
    )


def test_an_earlier_ledger_is_verified_except_for_the_releases_that_are_not_here(
    daylight_ledger: Run,
) -> None:
    done = daylight_ledger("verify")
    assert str(done.exception) == "release moderation 2025-07.1: entry 2 committed it; it is gone"


def test_a_ledger_is_published_after_the_upgrade_with_the_entries_of_before(
    daylight_ledger: Run, ledger: str, tmp_path: Path
) -> None:
    assert daylight_ledger("publish").exit_code == 0
    with closing(LedgerStore(ledger)) as store:
        assert store.entries()[18].hash == FIRST_HEAD
    before = (FIRST / "ledger").read_text().split('"entries": [')[1].split("\n ],")[0]
    assert before in layout.ledger_file(tmp_path / "releases").read_text()


def test_class_role_and_both_spends_of_a_build_are_shown(daylight_ledger: Run, ledger: str) -> None:
    spend = Spend("ads", "2027-06", "person, x", "", 50_000_000, "0" * 64, PERSON, "a recipient", 14_000_000)
    with closing(LedgerStore(ledger)) as store:
        store.reserve(spend, now=datetime(2027, 7, 1, tzinfo=UTC))
    *_, persons, organisations = daylight_ledger("show").stdout.splitlines()
    assert "0.05 of 0.5 rho spent on each person" in persons
    assert organisations == (
        "2027-06: 0.014 of 0.15 rho spent on each event of an organisation, over all datasets; 0.014 of 1.5 in 2026-07 to "
        "2027-06, the fullest twelve months with it"
    )
    entry = next(line for line in daylight_ledger("show").stdout.splitlines() if "2027-07-01" in line)
    assert all(text in entry for text in ("0.05 + 0.014", "person", "a recipient"))
