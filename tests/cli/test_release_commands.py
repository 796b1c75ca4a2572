"""`daylight release audit` and `release plan --from`: what an admin reads before a bound is declared or a build is trusted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from cli.release import release_commands
from datasets.pipeline.audit.examination import audit as examine
from datasets.pipeline.audit.verdict import SCALE
from datasets.pipeline.measurement.randomness import discrete_gaussian_noise
from datasets.pipeline.planning.bounds import NoEarlierRelease
from datasets.pipeline.state.misfits import TooManyMisfits
from datasets.pipeline.state.signing import ReleaseSigner
from tests.datasets.pipeline.small_deployment import HARVEST, SmallDeployment, concatenate, crates
from tests.datasets.release.small_release import sign, verify
from tests.deployment import Deployment

Run = Callable[..., Result]


@pytest.fixture
def daylight_release(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command of `daylight release` over the shared deployment, on a wide terminal."""
    keys = deployment.registry.keys
    commands = release_commands(lambda: ReleaseSigner(keys.release_signer(), keys.release_verifier()))
    monkeypatch.setenv("DAYLIGHT_HOME", str(deployment.home))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *words: CliRunner().invoke(commands, list(words))


@pytest.fixture
def small_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    """A declaration that is built in a blink: the declared ones take minutes."""
    monkeypatch.setattr("cli.audit.find_dataset", lambda name: HARVEST)


def test_an_audit_prints_each_verdict_and_fails_if_one_fails(
    daylight_release: Run, small_dataset: None
) -> None:
    done = daylight_release("audit", "moderation", "--builds", "10", "--json")
    verdicts = json.loads(done.stdout)
    assert {"noise's source", "moves", "d'"} <= {each["test"] for each in verdicts}
    assert all(each["passed"] == (each["measured"] <= each["limit"]) for each in verdicts if each["limit"])
    assert done.exit_code == (not all(each["passed"] for each in verdicts))


def test_an_audit_of_half_the_noise_names_what_failed(
    daylight_release: Run, small_dataset: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    halved = partial(examine, noise=lambda scales: discrete_gaussian_noise(np.maximum(scales / 2, 0.1)))
    monkeypatch.setattr("cli.audit.audit", halved)
    done = daylight_release("audit", "moderation", "--builds", "10")
    assert done.exit_code == 1
    assert "moderation: what an adversary sees" in done.stdout
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    assert any(SCALE in line for line in failed)
    assert done.stdout.strip().endswith(f", {len(failed)} failed")


def test_a_plan_from_a_release_compares_noise_and_bias_of_several_bounds(daylight_release: Run) -> None:
    words = ["plan", "moderation", "--month", "2026-07", "--from", "2026-06.1"]
    done = daylight_release(*words, "--rows-per-unit", "50,5,10")
    assert done.exit_code == 0, done.output
    totals = [line.split("│")[1:-1] for line in done.stdout.splitlines() if "│ total" in line]
    rows = {int(line[3]): float(line[4].replace(",", "")) for line in totals if line[0].strip() == "actions"}
    assert list(rows) == [5, 10, 50]
    assert rows[10] == pytest.approx(2 * rows[5], rel=0.01)
    assert "no event was read" in done.stdout
    assert done.stdout == daylight_release(*words, "--rows-per-unit", "5, 10,50,5").stdout


def test_bounds_that_are_no_numbers_are_refused_with_what_would_be_right(daylight_release: Run) -> None:
    done = daylight_release(
        "plan", "moderation", "--month", "2026-07", "--from", "2026-06.1", "--rows-per-unit", "5,many"
    )
    assert isinstance(done.exception, NoEarlierRelease)
    assert (
        str(done.exception) == "rows-per-unit=5,many is not a list of whole numbers; write it as 5,10,20,50"
    )


@pytest.fixture
def with_ledger(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger that the shared deployment was built with."""
    monkeypatch.setenv("DAYLIGHT_LEDGER_URL", f"sqlite:///{deployment.home / 'ledger.sqlite'}")


def test_a_plan_says_what_a_correction_would_spend_and_leave(
    daylight_release: Run, with_ledger: None
) -> None:
    """The deployment has released moderation of 2026-06 at 0.104 rho."""
    done = daylight_release("plan", "moderation", "--month", "2026-06", "--depth", "0")
    assert done.exit_code == 0, done.output
    month, year, sentence = done.stdout.splitlines()[-3:]
    assert (
        "A month: rho 0.104; epsilon 2.19 at delta 1e-6, 2.78 at 1e-9; the best 5 % test has power 11.7%."
        in month
    )
    assert year == (
        "Twelve months: rho 1.248; epsilon 8.84 at delta 1e-6, 10.8 at 1e-9; the best 5 % test has power 47.4%."
    )
    assert sentence.startswith("A correction of 2026-06 would spend 0.104 rho on each person; ")
    left = re.findall(r"([\d.]+) of ([\d.]+) ", sentence)
    assert [cap for _, cap in left] == ["0.5", "3"]
    assert float(left[0][0]) <= 0.5 - 2 * 0.104 + 1e-9
    assert re.search(
        r"in the twelve months 20\d\d-\d\d to 20\d\d-\d\d, the fullest that contain it; \d+ more", sentence
    )


def test_a_plan_for_a_deployment_without_a_ledger_makes_none(
    daylight_release: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DAYLIGHT_HOME", str(tmp_path / "new"))
    done = daylight_release("plan", "moderation", "--month", "2026-06", "--depth", "0")
    assert done.stdout.splitlines()[-1] == (
        "The release of 2026-06 would spend 0.104 rho on each person; 0.396 of 0.5 would be left in 2026-06, 2.896 of 3 in "
        "the twelve months 2025-07 to 2026-06, the fullest that contain it; 3 more of this cost would fit."
    )
    assert not (tmp_path / "new").exists()


def test_a_plan_says_that_a_spend_does_not_fit(
    daylight_release: Run, with_ledger: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYLIGHT_RHO_CAP_MONTH", "0.2")
    done = daylight_release("plan", "moderation", "--month", "2026-06", "--depth", "0")
    assert "it does not fit: 2026-06 has " in done.stdout.splitlines()[-1]


def test_a_build_of_which_too_few_rows_fit_needs_a_reason_that_goes_to_the_audit_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    wrong = {**crates(50, 50, first=900_000), "plant": ["turnip"] * 50}
    SmallDeployment(tmp_path).put(concatenate(crates(50, 50), wrong))
    monkeypatch.setattr("cli.release.find_dataset", lambda name: HARVEST)
    monkeypatch.setenv("DAYLIGHT_HOME", str(home))
    acts: list[tuple[str, ...]] = []
    commands = release_commands(lambda: ReleaseSigner(sign, verify, lambda *act: acts.append(act)))
    build = ["build", "harvest", "--month", "2026-06", "--events", str(tmp_path / "events")]
    refused = CliRunner().invoke(commands, build)
    assert isinstance(refused.exception, TooManyMisfits)
    assert not list((home / "releases").rglob("manifest.json"))
    done = CliRunner().invoke(commands, [*build, "--accept-misfits", "the turnips are no fruit"])
    assert done.exit_code == 0
    assert acts == [("release.misfits-accepted", "harvest/2026-06", "the turnips are no fruit")]
    assert "turnips" not in done.output
