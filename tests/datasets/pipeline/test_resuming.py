"""A build that failed or was killed: the same command resumes it, on the same reservation, and counts every row once."""

import json
import os
import shutil
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from datasets.pipeline.events import partitions
from datasets.pipeline.operations.verification import ensure_ledger_matches, ensure_releases
from datasets.pipeline.planning.budget import plan_budget
from datasets.pipeline.run import HalfBuilt
from datasets.pipeline.state import checkpoint, files
from datasets.pipeline.state.checkpoint import Checkpoint
from datasets.pipeline.state.context import STEPS
from datasets.pipeline.state.disk_space import DiskFull, NoRoom
from datasets.privacy.ledger import BudgetSpent, Caps
from datasets.privacy.zcdp import NANO
from tests.datasets.pipeline.small_deployment import (
    BUSY,
    HARVEST,
    JUNE,
    SmallDeployment,
    crates,
    no_noise,
    read_cells,
    read_manifest,
)
from tests.datasets.release.small_release import verify


@pytest.fixture
def deployment(tmp_path):
    return SmallDeployment(tmp_path / "deployment")


class StepFailed(Exception):
    pass


@pytest.mark.parametrize("step", STEPS)
def test_a_build_that_fails_at_any_step_publishes_nothing_and_its_spend_counts(deployment, step):
    def fail_at(name):
        if name == step:
            raise StepFailed

    deployment.put(BUSY)
    with pytest.raises(StepFailed):
        deployment.build(on_step=fail_at)
    assert deployment.published_files == []
    reserved = STEPS.index(step) > STEPS.index("reserving")
    assert deployment.states == (["reserved", "void"] if reserved else [])
    folder = deployment.build()
    assert ensure_releases(deployment.folder / "releases", verify, deployment.ledger) == 1
    assert read_manifest(folder)["revision"] == 1


def run_until_exit(deployment, act):
    """Run `act` in a child process, in which it calls os._exit(7)."""
    deployment.ledger.close()  # no connection is shared between processes
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_a_build_killed_before_its_reservation_has_spent_nothing(deployment):
    deployment.put(BUSY)
    for step in STEPS[:3]:
        run_until_exit(
            deployment, lambda: deployment.build(on_step=lambda name: os._exit(7) if name == step else None)
        )
        assert (deployment.states, deployment.published_files) == ([], [".builder"]), step
    deployment.build()
    assert deployment.states == ["reserved", "committed"]


def test_a_build_killed_after_it_has_counted_does_not_read_its_rows_again(deployment):
    deployment.put(BUSY)
    run_until_exit(
        deployment, lambda: deployment.build(on_step=lambda name: os._exit(7) if name == STEPS[3] else None)
    )
    deployment.steps.clear()
    deployment.build()
    assert deployment.steps == ["validating", *STEPS[2:]]


@pytest.mark.parametrize("step", STEPS[3:])
def test_a_killed_build_publishes_nothing_and_the_next_one_resumes_its_reservation(deployment, step):
    deployment.put(BUSY)
    run_until_exit(
        deployment, lambda: deployment.build(on_step=lambda name: os._exit(7) if name == step else None)
    )
    assert [path for path in deployment.published_files if not path.startswith(".")] == []
    assert deployment.states == ["reserved"]
    assert read_manifest(deployment.build())["revision"] == 1
    assert deployment.states == ["reserved", "committed"]
    assert deployment.spent_nano_rho() == plan_budget(HARVEST, JUNE).spend().nano_rho
    assert not list((deployment.folder / "private" / "building").rglob("*.parquet")), "its files are deleted"


@pytest.mark.parametrize("change", ["events", "declaration", "installed version", "correction"])
def test_a_different_build_gives_up_a_killed_one_only_on_request(deployment, monkeypatch, change):
    deployment.put(BUSY)
    run_until_exit(
        deployment, lambda: deployment.build(on_step=lambda name: os._exit(7) if name == STEPS[3] else None)
    )
    if change == "events":
        deployment.put(crates(400, 60))
    if change == "declaration":
        deployment.dataset = replace(HARVEST, version=2)
    if change == "installed version":
        monkeypatch.setattr(checkpoint, "code_hash", lambda: "another")
    options = {"correction": "a crate was counted twice" if change == "correction" else ""}
    kept = {path for path in deployment.context.private.rglob("*") if path.is_file()}
    with pytest.raises(
        HalfBuilt, match=f"only with the same {change}: .* --afresh; .* rho of ledger entry 1 stay"
    ):
        deployment.build(**options)
    assert deployment.states == ["reserved"]
    assert kept == {path for path in deployment.context.private.rglob("*") if path.is_file()}
    deployment.build(afresh=True, **options)
    assert deployment.states == ["reserved", "void", "reserved", "committed"]
    assert deployment.spent_nano_rho() == 2 * plan_budget(HARVEST, JUNE).spend().nano_rho


def test_a_build_afresh_without_an_interrupted_build_is_like_any_other(deployment):
    deployment.put(BUSY).build(afresh=True)
    assert deployment.states == ["reserved", "committed"]


@pytest.mark.parametrize("lacks", ["budget", "room"])
def test_a_build_without_budget_or_room_does_not_give_up_a_killed_one(tmp_path, monkeypatch, lacks):
    spend = Fraction(plan_budget(HARVEST, JUNE).spend().nano_rho, NANO)
    deployment = SmallDeployment(
        tmp_path / "deployment", Caps(month=spend if lacks == "budget" else 2 * spend)
    ).put(BUSY)
    run_until_exit(
        deployment, lambda: deployment.build(on_step=lambda name: os._exit(7) if name == STEPS[3] else None)
    )
    if lacks == "room":
        monkeypatch.setattr(shutil, "disk_usage", lambda path: type("Usage", (), {"free": 3 << 20}))
    with pytest.raises((BudgetSpent, NoRoom)):
        deployment.build(correction="a crate was counted twice", afresh=True)
    monkeypatch.undo()
    assert deployment.states == ["reserved"]
    deployment.build()
    assert deployment.states == ["reserved", "committed"]


@pytest.mark.parametrize(
    "moment", ["save_parts", "save_counts", "save_counted", "save_reservation", "noisy_cells"]
)
def test_a_build_killed_right_after_a_checkpoint_spends_once(deployment, monkeypatch, moment):
    done = getattr(Checkpoint, moment)

    def then_exit(*arguments):
        done(*arguments)
        os._exit(7)

    deployment.put(BUSY)
    monkeypatch.setattr(Checkpoint, moment, then_exit)
    run_until_exit(deployment, deployment.build)
    monkeypatch.undo()
    deployment.build()
    assert deployment.spent_nano_rho() == plan_budget(HARVEST, JUNE).spend().nano_rho
    assert deployment.states == ["reserved", "committed"]


def test_a_build_killed_right_after_its_reservation_is_resumed_on_it(deployment, monkeypatch):
    reserve = deployment.ledger.reserve

    def then_exit(*arguments, **named):
        reserve(*arguments, **named)
        os._exit(7)

    deployment.put(BUSY)
    monkeypatch.setattr(deployment.ledger, "reserve", then_exit)
    run_until_exit(deployment, deployment.build)
    monkeypatch.undo()
    deployment.build()
    assert deployment.states == ["reserved", "committed"]


def test_noise_that_was_drawn_before_a_kill_is_published_and_not_drawn_again(deployment):
    deployment.put(BUSY)
    run_until_exit(
        deployment, lambda: deployment.build(on_step=lambda name: os._exit(7) if name == STEPS[5] else None)
    )
    (kept,) = (deployment.folder / "private" / "building").rglob("noisy-*.npz")
    with np.load(kept) as found:
        drawn = found[json.dumps(["measures", "crates", [0, 0, 0]])].item()

    def raise_error(scales):
        raise AssertionError("noise is drawn once for a reservation")

    table = read_cells(deployment.build(noise=raise_error)).to_pylist()
    assert next(row["crates"] for row in table if row["cuboid"] == "total") == drawn


def test_a_killed_build_that_is_resumed_counts_every_row_once(deployment, monkeypatch):
    """Killed after each partition and resumed, it counts the same as a build that is not killed."""
    monkeypatch.setattr(partitions, "ROWS_PER_PARTITION", 150)
    other = SmallDeployment(deployment.folder.parent / "whole").put(BUSY)
    for each in (deployment.put(BUSY), other):
        each.context.private.mkdir(mode=0o700)
        (each.context.private / "salt").write_text("5a" * 32)
    whole = other.build(noise=no_noise)
    save_counts = Checkpoint.save_counts

    def then_exit(*arguments):
        save_counts(*arguments)
        os._exit(7)

    for _ in range(5):
        monkeypatch.setattr(Checkpoint, "save_counts", then_exit)
        run_until_exit(deployment, lambda: deployment.build(noise=no_noise))
    monkeypatch.setattr(Checkpoint, "save_counts", save_counts)
    counted = ["crates", "sales", "takings", "gardeners"]
    assert read_cells(deployment.build(noise=no_noise)).select(counted) == read_cells(whole).select(counted)
    assert deployment.states == ["reserved", "committed"]


def test_a_build_killed_between_publication_and_commit_is_committed_by_the_next(deployment, monkeypatch):
    deployment.put(BUSY)
    monkeypatch.setattr(deployment.ledger, "commit", lambda *_, **__: os._exit(7))
    run_until_exit(deployment, deployment.build)
    monkeypatch.undo()
    assert deployment.states == ["reserved"]
    assert deployment.build().name == "2026-06.1", "it finds itself done"
    assert deployment.states == ["reserved", "committed"]
    assert ensure_ledger_matches(deployment.folder / "releases", verify, deployment.ledger) == 2


def test_a_full_disk_while_the_release_is_flushed_leaves_only_a_build_to_resume(deployment, monkeypatch):
    flush = files.flush

    def flush_to_full_disk(path):
        if deployment.folder / "releases" in path.parents:
            raise OSError(28, "No space left on device")
        flush(path)

    monkeypatch.setattr(files, "flush", flush_to_full_disk)
    with pytest.raises(DiskFull, match="make room there and give the same command again") as refused:
        deployment.put(BUSY).build()
    assert "\n" not in str(refused.value)
    assert deployment.published_files == []
    assert deployment.states == ["reserved"]
    monkeypatch.undo()
    deployment.build()
    assert deployment.states == ["reserved", "committed"]
