"""Poisoned input does not weaken privacy: invalid rows are quarantined, and a canary has the same effect."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets.pipeline.audit.attack import no_noise
from datasets.pipeline.audit.claimed_rho import claimed_rho
from datasets.pipeline.audit.neighbours import canaries, write_events
from datasets.pipeline.audit.probe_sites import ProbeSites
from datasets.pipeline.audit.statistic import Probes, PublishedPlans
from datasets.pipeline.events.layout import month_folder
from datasets.pipeline.events.local_engine import LocalEngine, UnsavedProgress
from datasets.pipeline.measurement.noise import add_noise, count_job
from datasets.pipeline.planning.budget import plan_budget
from datasets.pipeline.state.misfits import NoRowFits
from tests.datasets.pipeline.small_deployment import (
    HARVEST,
    JUNE,
    SmallDeployment,
    crates,
)

ACCOUNTS = 100_000
PLACES = ProbeSites(HARVEST, JUNE)
CANARIES = {canary.name: canary for canary in canaries(HARVEST, JUNE)}


def fake_accounts(folder):
    """A file of accounts with one row each, all in the canary's cell, with event ids that other rows use too."""
    home = PLACES.row("fake", "e", PLACES.home_site)
    columns = {name: pa.array([value] * ACCOUNTS) for name, value in home.items()}
    columns["unit_id"] = pa.array([f"fake {n}" for n in range(ACCOUNTS)])
    columns["event_id"] = pa.array([f"c{n % 10}" for n in range(ACCOUNTS)])
    pq.write_table(pa.table(columns), folder / "part-00009.parquet")


def build_without_noise(rows, root, *, poisoned):
    """The release of these rows, without noise."""
    folder = month_folder(write_events(root / "events", HARVEST, JUNE, rows), HARVEST, JUNE)
    if poisoned:
        fake_accounts(folder)
    budget = plan_budget(HARVEST, JUNE)
    engine = LocalEngine(root / "quarantine", UnsavedProgress(root / "counting"))
    return add_noise(budget, engine.counted(count_job(budget), "salt", folder).counts, no_noise)


@pytest.mark.parametrize("name", ["one row among a few", "far over every cap"])
def test_a_hundred_thousand_fake_accounts_do_not_reveal_a_person(tmp_path, name):
    rows, published = CANARIES[name].rows, PublishedPlans(plan_budget(HARVEST, JUNE))
    moved = {}
    for poisoned in (False, True):
        without, with_ = (
            build_without_noise(side, tmp_path / f"{poisoned} {len(side)}", poisoned=poisoned)
            for side in ((), rows)
        )
        moved[poisoned] = float(np.linalg.norm(Probes.between(published, without, with_).shifts))
    assert moved[True] == pytest.approx(moved[False], rel=1e-6)
    assert moved[True] <= np.sqrt(2 * float(claimed_rho(HARVEST, CANARIES[name].counted))) * (1 + 1e-6)


def test_a_build_quarantines_poisoned_rows_and_counts_the_rest(tmp_path):
    good = crates(50, 20)
    deployment = SmallDeployment(tmp_path / "deployment").put(good)
    folder = month_folder(deployment.folder / "events", HARVEST, JUNE)
    # one file for each row, so that every type occurs
    for number, row in enumerate(CANARIES["rows that do not fit"].rows, 1):
        pq.write_table(
            pa.table({name: [value] for name, value in row.items()}), folder / f"part-{number:05}.parquet"
        )
    strange = {
        "unit_id": [b"\xff\x00"], "occurred_at": [10**18], "sold": [2.5], "cents": [[1, 2]], "plant": [{"a": 1}],
        "unit_kind": [True],
    }  # fmt: skip
    row = PLACES.row("canary", "w", PLACES.home_site)
    for number, (name, values) in enumerate(strange.items(), 900):
        pq.write_table(
            pa.table({**{n: [v] for n, v in row.items()}, name: values}), folder / f"part-{number:05}.parquet"
        )
    built = deployment.build(noise=no_noise, accept_misfits="an attacker sends rows that do not fit")
    (total,) = (
        cell for cell in pq.read_table(built / "cells.parquet").to_pylist() if cell["cuboid"] == "total"
    )
    _, rows = np.unique(good["unit_id"], return_counts=True)
    assert total["crates"] == np.minimum(rows, 3).sum()
    assert total["gardeners"] == pytest.approx(20)


def test_a_month_of_poisoned_rows_only_is_refused_and_shows_nothing(tmp_path):
    wrong = {**crates(5, 5), "plant": ["turnip"] * 5}
    deployment = SmallDeployment(tmp_path / "one").put(wrong)
    with pytest.raises(NoRowFits):
        deployment.build()
    assert (deployment.states, deployment.published_files) == ([], [])
