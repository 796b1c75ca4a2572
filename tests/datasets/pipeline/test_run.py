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
from tests.datasets.pipeline.small_deployment import HARVEST, JUNE, Shop, crates, silence, together
from tests.datasets.release.pressing import verify


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path / "shop")


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


BUSY = together(crates(400, 60), crates(200, 1, seed=2, first=10_000))


@pytest.mark.parametrize(
    "neighbour",
    [
        pytest.param(crates(400, 60), id="a person with 200 rows has gone"),
        pytest.param(
            together(BUSY, crates(50, 1, seed=3, first=20_000)), id="a person with 50 rows has come"
        ),
        pytest.param(crates(1, 1), id="everybody but one has gone"),
    ],
)
def test_neighbouring_inputs_give_releases_that_differ_in_nothing_but_noise(tmp_path, neighbour):
    one = Shop(tmp_path / "one").put(BUSY).build()
    two = Shop(tmp_path / "two").put(neighbour).build()
    assert shape(one) == shape(two)


def test_two_builds_of_the_same_input_have_different_noise(tmp_path):
    one, two = (cells(Shop(tmp_path / name).put(BUSY).build()) for name in ("one", "two"))
    differ = np.mean(one["crates"].to_numpy() != two["crates"].to_numpy())
    assert differ > 0.95


def test_no_exact_count_is_in_any_published_byte_or_log_line(shop, caplog, capfd):
    rows, units, bad = 30_011, 10_007, 1_009
    good = crates(rows, units)
    wrong = {**crates(bad, bad, first=900_000), "plant": ["turnip"] * bad}
    with caplog.at_level(0):
        folder = shop.put(together(good, wrong)).build()
    planted = {rows, units, bad, rows + bad, rows + units, sum(good["sold"]), len({*good["unit_id"]})}
    as_word = re.compile("|".join(rf"(?<![\d.]){n}(?![\d.])|(?<![\d.,]){n:,}(?![\d.,])" for n in planted))
    texts = [
        path.read_bytes().decode("latin-1")
        for path in shop.folder.joinpath("releases").rglob("*.*")
        if path.is_file()
    ]
    texts += [caplog.text, *capfd.readouterr(), *shop.said]
    assert [found for text in texts for found in as_word.findall(text)] == []
    table = cells(folder)
    numbers = {
        float(n) for name in table.column_names for n in table[name].to_pylist() if isinstance(n, int | float)
    }
    assert numbers.isdisjoint(map(float, planted))
    totals = json.loads((shop.work.quarantine(HARVEST, JUNE) / "totals.json").read_text())
    assert (totals["read"], totals["kept"]) == (rows + bad, rows)  # the private side knows


def test_a_month_is_spent_once(shop):
    shop.put(BUSY).build()
    before, spent = shop.published, shop.spent()
    with pytest.raises(BudgetSpent, match="harvest 2026-06") as caught:
        shop.build()
    assert "\n" not in str(caught.value)
    assert (shop.published, shop.spent()) == (before, spent)


def test_a_correction_is_a_new_spend_with_new_noise_and_the_next_revision(shop):
    first = shop.put(BUSY).build()
    second = shop.build(correction="two crates were counted twice")
    assert (first.name, second.name) == ("2026-06.1", "2026-06.2")
    told = manifest(second)
    assert (told["previous"], told["correction"]) == ("2026-06.1", "two crates were counted twice")
    assert shop.spent() == 2 * budget_of(HARVEST, JUNE).spend().nano_rho
    assert cells(first)["crates"].to_pylist() != cells(second)["crates"].to_pylist()
    assert (shop.folder / "releases/harvest/2026-06.current").read_text().strip() == "2026-06.2"


def test_a_correction_beyond_the_cap_is_refused_and_spends_nothing(tmp_path):
    shop = Shop(tmp_path / "shop", Caps(month=Fraction(3, 10)))
    shop.put(BUSY).build()
    with pytest.raises(BudgetSpent):
        shop.build(correction="again")
    assert shop.states == ["reserved", "committed"]
    assert not any(".2/" in path for path in shop.published)


class Broken(Exception):
    pass


@pytest.mark.parametrize("step", STEPS)
def test_a_build_that_fails_at_any_step_publishes_nothing_and_its_spend_counts(shop, step):
    def said(words):
        if words == step:
            raise Broken

    shop.put(BUSY)
    with pytest.raises(Broken):
        shop.build(said=said)
    assert shop.published == []
    reserved = STEPS.index(step) > STEPS.index("reserving")
    assert shop.states == (["reserved", "void"] if reserved else [])
    folder = shop.build()
    assert ensure_releases(shop.folder / "releases", verify, shop.ledger) == 1
    assert manifest(folder)["revision"] == 1


def killed(shop, act):
    """Run `act` in a process of its own that ends without a word where it calls os._exit."""
    shop.ledger.close()  # no connection is shared between processes
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


@pytest.mark.parametrize("step", STEPS[2:])
def test_a_build_that_is_killed_publishes_nothing_and_the_next_goes_on_with_its_reservation(shop, step):
    shop.put(BUSY)
    killed(shop, lambda: shop.build(said=lambda words: os._exit(7) if words == step else None))
    assert [path for path in shop.published if not path.startswith(".")] == []
    assert shop.states == ["reserved"]
    assert manifest(shop.build())["revision"] == 1
    assert shop.states == ["reserved", "committed"]
    assert shop.spent() == budget_of(HARVEST, JUNE).spend().nano_rho
    assert not list((shop.folder / "private" / "building").rglob("*.parquet")), "nothing is left of it"


@pytest.mark.parametrize("change", ["events", "declaration", "installed version", "correction"])
def test_a_build_of_anything_else_gives_up_one_that_was_killed_only_when_it_is_told_to(
    shop, monkeypatch, change
):
    shop.put(BUSY)
    killed(shop, lambda: shop.build(said=lambda words: os._exit(7) if words == STEPS[3] else None))
    if change == "events":
        shop.put(crates(400, 60))
    if change == "declaration":
        shop.dataset = replace(HARVEST, version=2)
    if change == "installed version":
        monkeypatch.setattr(checkpoint, "code_hash", lambda: "another")
    options = {"correction": "a crate was counted twice" if change == "correction" else ""}
    kept = {path for path in shop.work.private.rglob("*") if path.is_file()}
    with pytest.raises(
        HalfBuilt, match=f"only with the same {change}: .* --afresh; .* rho of ledger entry 1 stay"
    ):
        shop.build(**options)
    assert shop.states == ["reserved"]
    assert kept == {path for path in shop.work.private.rglob("*") if path.is_file()}
    shop.build(afresh=True, **options)
    assert shop.states == ["reserved", "void", "reserved", "committed"]
    assert shop.spent() == 2 * budget_of(HARVEST, JUNE).spend().nano_rho


def test_a_build_afresh_where_nothing_was_cut_off_is_like_any_other(shop):
    shop.put(BUSY).build(afresh=True)
    assert shop.states == ["reserved", "committed"]


@pytest.mark.parametrize("lacks", ["budget", "room"])
def test_a_build_that_lacks_budget_or_room_gives_up_none_that_was_killed(tmp_path, monkeypatch, lacks):
    spend = Fraction(budget_of(HARVEST, JUNE).spend().nano_rho, NANO)
    shop = Shop(tmp_path / "shop", Caps(month=spend if lacks == "budget" else 2 * spend)).put(BUSY)
    killed(shop, lambda: shop.build(said=lambda words: os._exit(7) if words == STEPS[3] else None))
    if lacks == "room":
        monkeypatch.setattr(
            disk_space.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 3 << 20})
        )
    with pytest.raises((BudgetSpent, NoRoom)):
        shop.build(correction="a crate was counted twice", afresh=True)
    monkeypatch.undo()
    assert shop.states == ["reserved"]
    shop.build()
    assert shop.states == ["reserved", "committed"]


@pytest.mark.parametrize("moment", ["expect", "keep_counts", "keep_parts", "noisy"])
def test_a_build_killed_right_after_it_wrote_down_how_far_it_is_spends_once(shop, monkeypatch, moment):
    done = getattr(Checkpoint, moment)

    def then_die(*arguments):
        done(*arguments)
        os._exit(7)

    shop.put(BUSY)
    monkeypatch.setattr(Checkpoint, moment, then_die)
    killed(shop, shop.build)
    monkeypatch.undo()
    shop.build()
    assert shop.spent() == budget_of(HARVEST, JUNE).spend().nano_rho
    assert shop.states == ["reserved", "committed"]


def test_a_build_killed_right_after_it_reserved_goes_on_with_that_reservation(shop, monkeypatch):
    reserve = shop.ledger.reserve

    def then_die(*arguments, **named):
        reserve(*arguments, **named)
        os._exit(7)

    shop.put(BUSY)
    monkeypatch.setattr(shop.ledger, "reserve", then_die)
    killed(shop, shop.build)
    monkeypatch.undo()
    shop.build()
    assert shop.states == ["reserved", "committed"]


def test_noise_that_was_drawn_before_a_kill_is_what_is_published_and_none_is_drawn_again(shop):
    shop.put(BUSY)
    killed(shop, lambda: shop.build(said=lambda words: os._exit(7) if words == STEPS[5] else None))
    (kept,) = (shop.folder / "private" / "building").rglob("noisy-*.npz")
    with np.load(kept) as found:
        drawn = found[json.dumps(["measures", "crates", [0, 0, 0]])].item()

    def again(scales):
        raise AssertionError("noise is drawn once for a reservation")

    table = cells(shop.build(noise=again)).to_pylist()
    assert next(row["crates"] for row in table if row["cuboid"] == "total") == drawn


def test_a_build_that_was_killed_counts_every_row_once(shop, monkeypatch):
    """Killed after each bucket in turn, and gone on with, it counts what a build counts that nobody kills."""
    monkeypatch.setattr(partitions, "ROWS_PER_BUCKET", 150)
    other = Shop(shop.folder.parent / "whole").put(BUSY)
    for each in (shop.put(BUSY), other):
        each.work.private.mkdir(mode=0o700)
        (each.work.private / "salt").write_text("5a" * 32)
    whole = other.build(noise=silence)
    keep_counts = Checkpoint.keep_counts

    def then_die(*arguments):
        keep_counts(*arguments)
        os._exit(7)

    for _ in range(5):
        monkeypatch.setattr(Checkpoint, "keep_counts", then_die)
        killed(shop, lambda: shop.build(noise=silence))
    monkeypatch.setattr(Checkpoint, "keep_counts", keep_counts)
    counted = ["crates", "sales", "takings", "gardeners"]
    assert cells(shop.build(noise=silence)).select(counted) == cells(whole).select(counted)
    assert shop.states == ["reserved", "committed"]


def test_a_build_killed_between_publishing_and_committing_is_committed_by_the_next(shop, monkeypatch):
    shop.put(BUSY)
    monkeypatch.setattr(shop.ledger, "commit", lambda *_, **__: os._exit(7))
    killed(shop, shop.build)
    monkeypatch.undo()
    assert shop.states == ["reserved"]
    assert shop.build().name == "2026-06.1", "it finds itself done"
    assert shop.states == ["reserved", "committed"]
    assert ensure_ledger_matches(shop.folder / "releases", verify, shop.ledger) == 2


def test_a_disk_that_is_full_while_the_release_is_flushed_leaves_nothing_but_a_build_to_go_on_with(
    shop, monkeypatch
):
    flush = publication.flush

    def full(path):
        if shop.folder / "releases" in path.parents:
            raise OSError(28, "No space left on device")
        flush(path)

    monkeypatch.setattr(publication, "flush", full)
    with pytest.raises(DiskFull, match="make room there and give the same command again") as refused:
        shop.put(BUSY).build()
    assert "\n" not in str(refused.value)
    assert shop.published == []
    assert shop.states == ["reserved"]
    monkeypatch.undo()
    shop.build()
    assert shop.states == ["reserved", "committed"]


def test_two_builds_at_once_have_one_winner_and_a_clear_message(shop):
    shop.put(BUSY)

    def meanwhile(words):
        if words == STEPS[3]:
            with pytest.raises(BuildUnderWay, match="another build holds"):
                shop.build()

    shop.build(said=meanwhile)
    assert shop.states == ["reserved", "committed"]


def test_without_events_nothing_is_spent(shop):
    with pytest.raises(Refusal, match="there are no events"):
        shop.build()
    assert shop.states == []


def test_rows_that_do_not_fit_are_set_aside_and_the_rest_is_counted(shop):
    wrong = {**crates(5, 5, first=900_000), "plant": ["turnip"] * 5}
    folder = shop.put(together(crates(100, 100), wrong)).build(noise=silence)
    table = cells(folder).to_pylist()
    total = next(row for row in table if row["cuboid"] == "total")
    assert total["crates"] == 100
    assert total["gardeners"] == pytest.approx(100)
    aside = pq.read_table(shop.work.quarantine(HARVEST, JUNE) / "events.parquet").to_pylist()
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


def test_verification_finds_any_changed_file_and_any_foreign_release(shop):
    folder = shop.put(BUSY).build()
    root = shop.folder / "releases"
    for name in ("cells.parquet", "codebook.json", "manifest.json", "manifest.jws"):
        with changed(folder / name), pytest.raises((ReleaseDamaged, LedgerBroken)):
            ensure_releases(root, verify, shop.ledger)
    assert ensure_releases(root, verify, shop.ledger) == 1
    other = Shop(shop.folder.parent / "other").put(BUSY, Month(2026, 7))
    assert other.states == []
    with pytest.raises(LedgerBroken, match="was set back, cut, or is another's"):
        ensure_releases(root, verify, other.ledger)
    (root / "ledger").unlink()
    with pytest.raises(LedgerBroken, match="missing or was changed"):
        ensure_releases(root, verify, other.ledger)


def test_the_ledger_check_finds_a_release_that_vanished(shop):
    folder = shop.put(BUSY).build()
    folder.rename(shop.folder / "gone")
    with pytest.raises(LedgerBroken, match="it is gone"):
        ensure_ledger_matches(shop.folder / "releases", verify, shop.ledger)
