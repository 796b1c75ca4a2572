"""The weights of a person's rows, and that they do not depend on the rows of others."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.pipeline.engine.bounding import GRAINS
from datasets.pipeline.engine.bounding import bound_rows as bounded_partition
from datasets.pipeline.engine.narrowing import lot_sql
from datasets.pipeline.events.partitions import Partitions
from tests.datasets.pipeline.small_dataset import JUNE, PLANT, STATE, small_dataset

Event = tuple[str, str, str, str, bool, int]  # unit, kind, plant, state, sold, cents


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


def bounded(con, dataset, month, salt: str, partitions: int = 1) -> Iterator:
    """The contributions of the rows in `valid_events`, by way of so many partitions."""
    with TemporaryDirectory() as folder:
        made = Partitions(Path(folder), partitions)
        made.write(con, "part-00000", dataset, month, salt, "SELECT * FROM valid_events", {})
        for partition in range(partitions):
            if (rows := made.rows_sql(partition)) is not None:
                yield from bounded_partition(con, dataset, month, rows)


def contributions(con, events: list[Event], salt: str = "salt", partitions: int = 1) -> dict:
    """For each event, in the order given: what it weighs in each measure."""
    con.execute(
        "CREATE OR REPLACE TABLE valid_events (event_id VARCHAR, unit_id VARCHAR, unit_kind VARCHAR, "
        "occurred_at TIMESTAMP, plant VARCHAR, state VARCHAR, sold BOOLEAN, cents BIGINT)"
    )
    # the time tells the events apart afterwards: event i happened on day i % 30 and carries its number in its id
    rows = [
        (f"e{i}", unit, kind, datetime(2026, 6, 1) + timedelta(days=i % 30), plant, state, sold, cents)
        for i, (unit, kind, plant, state, sold, cents) in enumerate(events)
    ]
    if rows:
        con.executemany("INSERT INTO valid_events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    found = defaultdict(list)
    for batch in bounded(con, small_dataset(), JUNE, salt, partitions):
        cells = zip(*batch.codes, strict=True)
        weights = [batch.weights[m] for m in ("crates", "sales", "takings", "gardeners")]
        for cell, *weight in zip(cells, *weights, strict=True):
            found[tuple(map(int, cell))].append(tuple(map(int, weight)))
    return {cell: sorted(weights) for cell, weights in found.items()}


def total(found: dict, measure: int) -> int:
    return sum(weight[measure] for weights in found.values() for weight in weights)


def crate(unit: str, kind: str = "person", plant: str = "apple", sold: bool = False, cents: int = 0) -> Event:
    return (unit, kind, plant, "DE", sold, cents)


def test_a_person_counts_at_most_m_times_a_month(con):
    found = contributions(con, [crate("ann")] * 9 + [crate("bob")] * 2)
    assert total(found, 0) == 3 + 2


def test_an_organisations_rows_all_count(con):
    assert total(contributions(con, [crate("firm", "organisation")] * 9), 0) == 9


def test_a_unit_that_calls_itself_both_is_a_person(con):
    events = [crate("ann", "organisation")] * 8 + [crate("ann", "person")]
    assert total(contributions(con, events), 0) == 3


def test_flagged_events_have_a_bound_of_their_own(con):
    found = contributions(con, [crate("ann", sold=True)] * 5 + [crate("ann")] * 5)
    assert total(found, 1) == 2


def test_a_sum_is_clamped_centred_and_bounded_with_the_events_that_count_it(con):
    events = [
        crate("ann", sold=True, cents=10**12),
        crate("bob", sold=True, cents=-5),
        crate("cyd", cents=70),
    ]
    found = contributions(con, events)
    assert total(found, 2) == (100 - 50) + (0 - 50)


def test_every_unit_weighs_one_over_all_its_rows(con):
    events = [crate("ann")] * 7 + [crate("bob")] * 12 + [crate("firm", "organisation")] * 3
    assert total(contributions(con, events), 3) == 3 * GRAINS


def test_a_units_weight_is_spread_in_proportion(con):
    events = [crate("ann", plant="apple")] * 2 + [crate("ann", plant="beet")]
    by_plant: dict[str, int] = defaultdict(int)
    for (plant, _, _), weights in contributions(con, events).items():
        by_plant[PLANT.codes[plant].code] += sum(weight[3] for weight in weights)
    assert {plant: round(3 * weight / GRAINS) for plant, weight in by_plant.items()} == {
        "apple": 2,
        "beet": 1,
    }


def test_codes_become_positions_in_the_code_list(con):
    (cell,) = contributions(con, [("ann", "person", "carrot", "FR", False, 0)])
    assert cell == (PLANT.index["carrot"], STATE.index["FR"], 0)


units = st.sampled_from(["ann", "bob", "cyd"])
events = st.lists(
    st.tuples(
        units, st.sampled_from(["person", "organisation"]), st.sampled_from([c.code for c in PLANT]),
        st.sampled_from([c.code for c in STATE]), st.booleans(), st.integers(-(10**6), 10**6),
    ),
    max_size=40,
)  # fmt: skip


@settings(max_examples=40)
@given(events, st.integers(2, 5))
def test_the_number_of_partitions_changes_nothing(events, partitions):
    with duckdb.connect(config={"threads": 1}) as con:
        assert contributions(con, events) == contributions(con, events, partitions=partitions)


@settings(max_examples=40)
@given(events, units)
def test_a_unit_that_leaves_moves_nobody_elses_rows(events, leaving):
    """Bounding is stable: the others' contributions, event by event, are what they were."""
    with duckdb.connect(config={"threads": 1}) as con:
        everyone = event_weights(con, events)
        others = event_weights(con, [event if event[0] != leaving else None for event in events])
    assert others == {event: weight for event, weight in everyone.items() if events[event][0] != leaving}


def event_weights(con, events: list[Event | None]) -> dict[int, tuple[int, ...]]:
    """The weights of each event by its number, found by giving each event a day and state of its own."""
    weights = {}
    present = [event for event in events if event is not None]
    con.execute(
        "CREATE OR REPLACE TABLE valid_events (event_id VARCHAR, unit_id VARCHAR, unit_kind VARCHAR, "
        "occurred_at TIMESTAMP, plant VARCHAR, state VARCHAR, sold BOOLEAN, cents BIGINT)"
    )
    cells = [(plant.code, day) for plant in PLANT for day in range(30)]
    for number, event in enumerate(events):
        if event is not None:
            plant, day = cells[number]
            when = datetime(2026, 6, 1) + timedelta(days=day)
            con.execute(
                "INSERT INTO valid_events VALUES (?, ?, ?, ?, ?, 'DE', ?, ?)",
                (f"e{number}", event[0], event[1], when, plant, event[4], event[5]),
            )
    for batch in bounded(con, small_dataset(), JUNE, "salt"):
        plants, _, days = batch.codes
        numbers = plants * 30 + days
        columns = [batch.weights[m] for m in ("crates", "sales", "takings", "gardeners")]
        for number, *weight in zip(numbers, *columns, strict=True):
            weights[int(number)] = tuple(map(int, weight))
    assert len(weights) == len(present)
    return weights


def test_another_salt_chooses_other_rows(con):
    events = [crate("ann", plant=plant.code) for plant in PLANT] * 4
    chosen = {str(contributions(con, events, salt=salt)) for salt in map(str, range(5))}
    assert len(chosen) > 1


def test_a_lot_is_the_salted_md5_of_the_unit_and_the_event(con):
    """The same in every version of every engine, so a choice of rows can be repeated."""
    (lot,) = con.execute(
        f"SELECT {lot_sql()} FROM (SELECT 'ann' AS unit_id, 'e1' AS event_id)", {"salt": "salt"}
    ).fetchone()
    assert lot == hashlib.md5(b"salt:3:ann:e1").hexdigest() == "101e0691313f4e40445975c5dbca7019"


def test_weights_are_exact_in_doubles(con):
    for batch in _batches(con):
        for weights in batch.weights.values():
            assert np.array_equal(weights, np.rint(weights))


def _batches(con):
    contributions(con, [crate("ann", sold=True, cents=33)] * 7)
    return list(bounded(con, small_dataset(), JUNE, "salt"))
