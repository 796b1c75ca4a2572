"""Adding or removing one unit does not change the rows of another, through validation, duplicates and bounding as in a build."""

from collections import defaultdict

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.pipeline.audit.neighbours import write_events
from datasets.pipeline.audit.probe_sites import ProbeSites
from datasets.pipeline.engine import bounding
from datasets.pipeline.events.layout import month_folder
from tests.datasets.pipeline.small_dataset import PLANT
from tests.datasets.pipeline.small_deployment import HARVEST, JUNE, bounded_rows

PLACES = ProbeSites(HARVEST, JUNE)
UNITS = ["ann", "bob", "firm"]

rows = st.builds(
    lambda unit, event, plant, day, odd, kind: {
        **PLACES.row(unit, f"e{event}", (plant, UNITS.index(unit), day), kind), **odd
    },
    st.sampled_from(UNITS), st.integers(0, 6), st.integers(0, len(PLANT) - 1), st.integers(0, 3),
    st.sampled_from([{}, {}, {}, {"sold": "false"}, {"cents": "1e9"}, {"plant": "turnip"}, {"cents": None}]),
    st.sampled_from(["person", "person", "organisation"]),
)  # fmt: skip
"""Each unit has its own state, which identifies its contributions; event ids collide within units and across them."""


def contributions(found, tmp):
    """The weights of each unit's rows in all measures, cell by cell."""
    with duckdb.connect(config={"threads": 1}) as con:
        folder = month_folder(write_events(tmp / "events", HARVEST, JUNE, found), HARVEST, JUNE)
        by_unit = defaultdict(list)
        for batch in bounded_rows(con, HARVEST, JUNE, folder, tmp / "private"):
            columns = [*batch.codes, *batch.weights.values(), *batch.wide.values()]
            for row in np.stack([np.asarray(c, dtype=np.int64) for c in columns], axis=1).tolist():
                by_unit[UNITS[row[1]]].append(tuple(row))
        return {unit: sorted(each) for unit, each in by_unit.items()}


@settings(max_examples=12)
@given(st.lists(rows, max_size=30), st.sampled_from(UNITS))
def test_a_unit_that_comes_or_goes_moves_nobody_elses_rows(tmp_path_factory, events, leaving):
    tmp = tmp_path_factory.mktemp("events")
    everyone = contributions(events, tmp / "with")
    others = contributions([row for row in events if row["unit_id"] != leaving], tmp / "without")
    assert others == {unit: found for unit, found in everyone.items() if unit != leaving}


def test_a_unit_that_comes_moves_at_most_what_was_declared(tmp_path):
    """Far over every cap, with events of others' ids, in every plant."""
    crowd = [PLACES.row("ann", f"e{n}", (n % 7, 0, 1)) for n in range(9)]
    much = [PLACES.row("bob", f"e{n}", (n % 7, 1, n % 30)) for n in range(200)]
    found = contributions([*crowd, *much], tmp_path / "all")
    totals = np.array(found["bob"])[:, 3:].sum(
        0
    )  # crates, sales, takings, gardeners, loosely bounded crates and sales
    assert totals.tolist() == [3, 2, 2 * 50, bounding.GRAINS, 5, 5]
    assert found["ann"] == contributions(crowd, tmp_path / "alone")["ann"]


def firm(*events):
    """Raw rows of an organisation, each of (event id, plant, day)."""
    return [PLACES.row("firm", event, (plant, 2, day), "organisation") for event, plant, day in events]


def moved_by(rows, added, tmp):
    """By how much raw rows that are added move each measure of the organisation: sums of absolute weights over all cells."""
    found, without = contributions([*rows, *added], tmp / "with"), contributions(rows, tmp / "without")
    change: dict[tuple[int, ...], np.ndarray] = defaultdict(lambda: np.zeros(len(HARVEST.measures), int))
    for sign, each in ((1, found), (-1, without)):
        for row in each.get("firm", []):
            change[row[:3]] += sign * np.array(row[3:][: len(HARVEST.measures)])
    return dict(zip((m.name for m in HARVEST.measures), np.abs(list(change.values())).sum(0), strict=True))


@pytest.mark.parametrize("rows", [0, 1, 2, 7])
def test_an_event_of_an_organisation_moves_what_one_row_may_however_often_it_is_sent(rows, tmp_path):
    before = firm(*((f"e{n}", n % 7, n) for n in range(rows)))
    moved = moved_by(before, firm(("new", 3, 5), ("new", 2, 4), ("new", 2, 9)), tmp_path)
    assert (moved["crates"], moved["sales"], moved["takings"]) == (1, 1, 50)
    assert moved["gardeners"] <= bounding.GRAINS


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_a_raw_row_that_displaces_another_moves_twice_what_one_row_may(rows, tmp_path):
    """The row has the id of an event of the organisation, and an earlier time: docs/privacy/bounding.md#organisations."""
    before = firm(*((f"e{n}", n % 7, 10 + n) for n in range(rows)))
    moved = moved_by(before, firm(("e0", 5, 2)), tmp_path)
    assert (moved["crates"], moved["sales"], moved["takings"]) == (2, 2, 2 * 50)
    assert moved["gardeners"] <= (2 if rows == 1 else 1) * bounding.GRAINS
    assert moved["gardeners"] == pytest.approx(2 * bounding.GRAINS / rows, abs=2 * rows)
