"""A build: what a release shows of its input, what it costs, and what is left when it fails."""

import json
import os
import re
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pyarrow.parquet as pq
import pytest

from datasets.period import Month
from datasets.pipeline.events import partitions
from datasets.pipeline.operations.verification import ensure_ledger_matches, ensure_releases
from datasets.pipeline.output import publication
from datasets.pipeline.planning.budget import budget_of
from datasets.pipeline.run import STEPS, HalfBuilt
from datasets.pipeline.state import checkpoint, disk_space
from datasets.pipeline.state.checkpoint import Checkpoint
from datasets.pipeline.state.disk_space import DiskFull, NoRoom
from datasets.pipeline.state.lock import BuildUnderWay
from datasets.privacy.ledger import BudgetSpent, Caps, LedgerBroken
from datasets.privacy.zcdp import NANO
from datasets.refusal import Refusal
from datasets.release.format.verification import ReleaseDamaged
from tests.datasets.pipeline.small_deployment import (
    HARVEST,
    JUNE,
    SmallDeployment,
    concatenate,
    crates,
    no_noise,
)
from tests.datasets.release.pressing import verify


@pytest.fixture
def deployment(tmp_path):
    return SmallDeployment(tmp_path / "deployment")


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def cells(folder):
    return pq.read_table(folder / "cells.parquet")


def shape(folder):
    """All of a release but its noisy numbers and what follows from them."""
    told = manifest(folder)
    for name in ("published_at", "ledger"):
        del told[name]
    for file in told["files"]:
        if file["name"] == "cells.parquet":
            del file["sha256"], file["bytes"]
    for measure in told["measures"]:
        if measure["kept"]:
            measure["kept"] = sorted(measure["kept"]["by"])
    table = cells(folder)
    keys = [
        name
        for name in table.column_names
        if not np.issubdtype(table[name].type.to_pandas_dtype(), np.floating)
    ]
    schema = pq.read_schema(folder / "cells.parquet")
    return (
        sorted(path.name for path in folder.iterdir()),
        told,
        schema,
        table.num_rows,
        table.select(keys).to_pylist(),
    )


BUSY = concatenate(crates(400, 60), crates(200, 1, seed=2, first=10_000))


@pytest.mark.parametrize(
    "neighbour",
    [
        pytest.param(crates(400, 60), id="a person with 200 rows has gone"),
        pytest.param(
            concatenate(BUSY, crates(50, 1, seed=3, first=20_000)), id="a person with 50 rows has come"
        ),
        pytest.param(crates(1, 1), id="everybody but one has gone"),
    ],
)
def test_neighbouring_inputs_give_releases_that_differ_in_nothing_but_noise(tmp_path, neighbour):
    one = SmallDeployment(tmp_path / "one").put(BUSY).build()
    two = SmallDeployment(tmp_path / "two").put(neighbour).build()
    assert shape(one) == shape(two)


def test_two_builds_of_the_same_input_have_different_noise(tmp_path):
    one, two = (cells(SmallDeployment(tmp_path / name).put(BUSY).build()) for name in ("one", "two"))
    differ = np.mean(one["crates"].to_numpy() != two["crates"].to_numpy())
    assert differ > 0.95


def test_no_exact_count_is_in_any_published_byte_or_log_line(deployment, caplog, capfd):
    rows, units, bad = 30_011, 10_007, 1_009
    good = crates(rows, units)
    wrong = {**crates(bad, bad, first=900_000), "plant": ["turnip"] * bad}
    with caplog.at_level(0):
        folder = deployment.put(concatenate(good, wrong)).build()
    planted = {rows, units, bad, rows + bad, rows + units, sum(good["sold"]), len({*good["unit_id"]})}
    as_word = re.compile("|".join(rf"(?<![\d.]){n}(?![\d.])|(?<![\d.,]){n:,}(?![\d.,])" for n in planted))
    texts = [
        path.read_bytes().decode("latin-1")
        for path in deployment.folder.joinpath("releases").rglob("*.*")
        if path.is_file()
    ]
    texts += [caplog.text, *capfd.readouterr(), *deployment.steps]
    assert [found for text in texts for found in as_word.findall(text)] == []
    table = cells(folder)
    numbers = {
        float(n) for name in table.column_names for n in table[name].to_pylist() if isinstance(n, int | float)
    }
    assert numbers.isdisjoint(map(float, planted))
    totals = json.loads((deployment.context.quarantine_folder(HARVEST, JUNE) / "totals.json").read_text())
    assert (totals["read"], totals["kept"]) == (rows + bad, rows)  # the private side knows


def test_a_month_is_spent_once(deployment):
    deployment.put(BUSY).build()
    before, spent = deployment.published_files, deployment.spent_nano_rho()
    with pytest.raises(BudgetSpent, match="harvest 2026-06") as caught:
        deployment.build()
    assert "\n" not in str(caught.value)
    assert (deployment.published_files, deployment.spent_nano_rho()) == (before, spent)


def test_a_correction_is_a_new_spend_with_new_noise_and_the_next_revision(deployment):
    first = deployment.put(BUSY).build()
    second = deployment.build(correction="two crates were counted twice")
    assert (first.name, second.name) == ("2026-06.1", "2026-06.2")
    told = manifest(second)
    assert (told["previous"], told["correction"]) == ("2026-06.1", "two crates were counted twice")
    assert deployment.spent_nano_rho() == 2 * budget_of(HARVEST, JUNE).spend().nano_rho
    assert cells(first)["crates"].to_pylist() != cells(second)["crates"].to_pylist()
    assert (deployment.folder / "releases/harvest/2026-06.current").read_text().strip() == "2026-06.2"


def test_a_correction_beyond_the_cap_is_refused_and_spends_nothing(tmp_path):
    deployment = SmallDeployment(tmp_path / "deployment", Caps(month=Fraction(3, 10)))
    deployment.put(BUSY).build()
    with pytest.raises(BudgetSpent):
        deployment.build(correction="again")
    assert deployment.states == ["reserved", "committed"]
    assert not any(".2/" in path for path in deployment.published_files)


class Broken(Exception):
    pass


@pytest.mark.parametrize("step", STEPS)
def test_a_build_that_fails_at_any_step_publishes_nothing_and_its_spend_counts(deployment, step):
    def fail_at(name):
        if name == step:
            raise Broken

    deployment.put(BUSY)
    with pytest.raises(Broken):
        deployment.build(on_step=fail_at)
    assert deployment.published_files == []
    reserved = STEPS.index(step) > STEPS.index("reserving")
    assert deployment.states == (["reserved", "void"] if reserved else [])
    folder = deployment.build()
    assert ensure_releases(deployment.folder / "releases", verify, deployment.ledger) == 1
    assert manifest(folder)["revision"] == 1


def killed(deployment, act):
    """Run `act` in a process of its own that ends without a word where it calls os._exit."""
    deployment.ledger.close()  # no connection is shared between processes
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


@pytest.mark.parametrize("step", STEPS[2:])
def test_a_build_that_is_killed_publishes_nothing_and_the_next_goes_on_with_its_reservation(deployment, step):
    deployment.put(BUSY)
    killed(deployment, lambda: deployment.build(on_step=lambda name: os._exit(7) if name == step else None))
    assert [path for path in deployment.published_files if not path.startswith(".")] == []
    assert deployment.states == ["reserved"]
    assert manifest(deployment.build())["revision"] == 1
    assert deployment.states == ["reserved", "committed"]
    assert deployment.spent_nano_rho() == budget_of(HARVEST, JUNE).spend().nano_rho
    assert not list((deployment.folder / "private" / "building").rglob("*.parquet")), "nothing is left of it"


@pytest.mark.parametrize("change", ["events", "declaration", "installed version", "correction"])
def test_a_build_of_anything_else_gives_up_one_that_was_killed_only_when_it_is_told_to(
    deployment, monkeypatch, change
):
    deployment.put(BUSY)
    killed(
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
    assert deployment.spent_nano_rho() == 2 * budget_of(HARVEST, JUNE).spend().nano_rho


def test_a_build_afresh_where_nothing_was_cut_off_is_like_any_other(deployment):
    deployment.put(BUSY).build(afresh=True)
    assert deployment.states == ["reserved", "committed"]


@pytest.mark.parametrize("lacks", ["budget", "room"])
def test_a_build_that_lacks_budget_or_room_gives_up_none_that_was_killed(tmp_path, monkeypatch, lacks):
    spend = Fraction(budget_of(HARVEST, JUNE).spend().nano_rho, NANO)
    deployment = SmallDeployment(
        tmp_path / "deployment", Caps(month=spend if lacks == "budget" else 2 * spend)
    ).put(BUSY)
    killed(
        deployment, lambda: deployment.build(on_step=lambda name: os._exit(7) if name == STEPS[3] else None)
    )
    if lacks == "room":
        monkeypatch.setattr(
            disk_space.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 3 << 20})
        )
    with pytest.raises((BudgetSpent, NoRoom)):
        deployment.build(correction="a crate was counted twice", afresh=True)
    monkeypatch.undo()
    assert deployment.states == ["reserved"]
    deployment.build()
    assert deployment.states == ["reserved", "committed"]


@pytest.mark.parametrize("moment", ["save_reservation", "save_counts", "save_parts", "noisy_cells"])
def test_a_build_killed_right_after_it_wrote_down_how_far_it_is_spends_once(deployment, monkeypatch, moment):
    done = getattr(Checkpoint, moment)

    def then_die(*arguments):
        done(*arguments)
        os._exit(7)

    deployment.put(BUSY)
    monkeypatch.setattr(Checkpoint, moment, then_die)
    killed(deployment, deployment.build)
    monkeypatch.undo()
    deployment.build()
    assert deployment.spent_nano_rho() == budget_of(HARVEST, JUNE).spend().nano_rho
    assert deployment.states == ["reserved", "committed"]


def test_a_build_killed_right_after_it_reserved_goes_on_with_that_reservation(deployment, monkeypatch):
    reserve = deployment.ledger.reserve

    def then_die(*arguments, **named):
        reserve(*arguments, **named)
        os._exit(7)

    deployment.put(BUSY)
    monkeypatch.setattr(deployment.ledger, "reserve", then_die)
    killed(deployment, deployment.build)
    monkeypatch.undo()
    deployment.build()
    assert deployment.states == ["reserved", "committed"]


def test_noise_that_was_drawn_before_a_kill_is_what_is_published_and_none_is_drawn_again(deployment):
    deployment.put(BUSY)
    killed(
        deployment, lambda: deployment.build(on_step=lambda name: os._exit(7) if name == STEPS[5] else None)
    )
    (kept,) = (deployment.folder / "private" / "building").rglob("noisy-*.npz")
    with np.load(kept) as found:
        drawn = found[json.dumps(["measures", "crates", [0, 0, 0]])].item()

    def again(scales):
        raise AssertionError("noise is drawn once for a reservation")

    table = cells(deployment.build(noise=again)).to_pylist()
    assert next(row["crates"] for row in table if row["cuboid"] == "total") == drawn


def test_a_build_that_was_killed_counts_every_row_once(deployment, monkeypatch):
    """Killed after each bucket in turn, and gone on with, it counts what a build counts that nobody kills."""
    monkeypatch.setattr(partitions, "ROWS_PER_BUCKET", 150)
    other = SmallDeployment(deployment.folder.parent / "whole").put(BUSY)
    for each in (deployment.put(BUSY), other):
        each.context.private.mkdir(mode=0o700)
        (each.context.private / "salt").write_text("5a" * 32)
    whole = other.build(noise=no_noise)
    save_counts = Checkpoint.save_counts

    def then_die(*arguments):
        save_counts(*arguments)
        os._exit(7)

    for _ in range(5):
        monkeypatch.setattr(Checkpoint, "save_counts", then_die)
        killed(deployment, lambda: deployment.build(noise=no_noise))
    monkeypatch.setattr(Checkpoint, "save_counts", save_counts)
    counted = ["crates", "sales", "takings", "gardeners"]
    assert cells(deployment.build(noise=no_noise)).select(counted) == cells(whole).select(counted)
    assert deployment.states == ["reserved", "committed"]


def test_a_build_killed_between_publishing_and_committing_is_committed_by_the_next(deployment, monkeypatch):
    deployment.put(BUSY)
    monkeypatch.setattr(deployment.ledger, "commit", lambda *_, **__: os._exit(7))
    killed(deployment, deployment.build)
    monkeypatch.undo()
    assert deployment.states == ["reserved"]
    assert deployment.build().name == "2026-06.1", "it finds itself done"
    assert deployment.states == ["reserved", "committed"]
    assert ensure_ledger_matches(deployment.folder / "releases", verify, deployment.ledger) == 2


def test_a_disk_that_is_full_while_the_release_is_flushed_leaves_nothing_but_a_build_to_go_on_with(
    deployment, monkeypatch
):
    flush = publication.flush

    def full(path):
        if deployment.folder / "releases" in path.parents:
            raise OSError(28, "No space left on device")
        flush(path)

    monkeypatch.setattr(publication, "flush", full)
    with pytest.raises(DiskFull, match="make room there and give the same command again") as refused:
        deployment.put(BUSY).build()
    assert "\n" not in str(refused.value)
    assert deployment.published_files == []
    assert deployment.states == ["reserved"]
    monkeypatch.undo()
    deployment.build()
    assert deployment.states == ["reserved", "committed"]


def test_two_builds_at_once_have_one_winner_and_a_clear_message(deployment):
    deployment.put(BUSY)

    def meanwhile(step):
        if step == STEPS[3]:
            with pytest.raises(BuildUnderWay, match="another build holds"):
                deployment.build()

    deployment.build(on_step=meanwhile)
    assert deployment.states == ["reserved", "committed"]


def test_without_events_nothing_is_spent(deployment):
    with pytest.raises(Refusal, match="there are no events"):
        deployment.build()
    assert deployment.states == []


def test_rows_that_do_not_fit_are_set_aside_and_the_rest_is_counted(deployment):
    wrong = {**crates(5, 5, first=900_000), "plant": ["turnip"] * 5}
    folder = deployment.put(concatenate(crates(100, 100), wrong)).build(noise=no_noise)
    table = cells(folder).to_pylist()
    total = next(row for row in table if row["cuboid"] == "total")
    assert total["crates"] == 100
    assert total["gardeners"] == pytest.approx(100)
    aside = pq.read_table(deployment.context.quarantine_folder(HARVEST, JUNE) / "events.parquet").to_pylist()
    assert {row["reason"] for row in aside} == {"unknown code: plant"}


@contextmanager
def changed(path, at=None):
    whole = path.read_bytes()
    broken = bytearray(whole)
    place = len(broken) // 2 if at is None else at
    broken[place] ^= 1
    path.write_bytes(broken)
    yield
    path.write_bytes(whole)


def test_verification_finds_any_changed_file_and_any_foreign_release(deployment):
    folder = deployment.put(BUSY).build()
    root = deployment.folder / "releases"
    for name in ("cells.parquet", "codebook.json", "manifest.json", "manifest.jws"):
        with changed(folder / name), pytest.raises((ReleaseDamaged, LedgerBroken)):
            ensure_releases(root, verify, deployment.ledger)
    assert ensure_releases(root, verify, deployment.ledger) == 1
    other = SmallDeployment(deployment.folder.parent / "other").put(BUSY, Month(2026, 7))
    assert other.states == []
    with pytest.raises(LedgerBroken, match="was set back, cut, or is another's"):
        ensure_releases(root, verify, other.ledger)
    (root / "ledger").unlink()
    with pytest.raises(LedgerBroken, match="missing or was changed"):
        ensure_releases(root, verify, other.ledger)


def test_the_ledger_check_finds_a_release_that_vanished(deployment):
    folder = deployment.put(BUSY).build()
    folder.rename(deployment.folder / "gone")
    with pytest.raises(LedgerBroken, match="it is gone"):
        ensure_ledger_matches(deployment.folder / "releases", verify, deployment.ledger)
