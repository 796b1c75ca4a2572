"""Counting every kind of measure: what is counted by hand, in any order and split."""

import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.pipeline.engine.job import CountJob
from datasets.pipeline.engine.kernel import narrow
from datasets.pipeline.engine.kinds.partition import count_kinds, no_kind_counts
from datasets.pipeline.engine.kinds.wanted import WantedActivity
from datasets.privacy.activity.bands import activity_bands
from datasets.privacy.activity.measuring import count_activity
from tests.datasets.pipeline.engine.kinds.by_hand import settled_units, tables_by_hand
from tests.datasets.pipeline.engine.kinds.narrow_rows import (
    HARVEST,
    WANTED,
    Row,
    connected,
    counted,
    ensure_same_tables,
    inputs,
    narrow_table,
    wanted_tables,
)
from tests.datasets.pipeline.small_deployment import BUSY, JUNE, concatenate, crates


def ensure_as_by_hand(found):
    made = counted(found)
    assert {name: {key: t.tolist() for key, t in each.items()} for name, each in made.tables.items()} == (
        tables_by_hand(WANTED, found)
    )
    kept = sum(map(len, settled_units(found)))
    assert (made.kept, made.repeats, made.partitions) == (kept, len(found) - kept, 1)


@settings(max_examples=50)
@given(inputs)
def test_every_table_is_what_is_counted_by_hand(found):
    ensure_as_by_hand(found)


@pytest.mark.parametrize("seed", range(3))
def test_many_rows_are_counted_as_by_hand(seed):
    """40 units with up to 20 rows, so that most are beyond some cap; one row in six repeats an event."""
    draw = np.random.default_rng(seed)

    def row(unit):
        plant, state, day, cents = draw.integers(0, (7, 3, 30, 130)).tolist()
        return Row(
            unit, int(draw.integers(0, 60)), 0, unit % 3 > 0, plant, state, day, bool(draw.integers(2)), cents
        )

    ensure_as_by_hand([row(unit) for unit in range(40) for _ in range(draw.integers(1, 21))])


@settings(max_examples=25)
@given(inputs, st.integers(1, 5), st.randoms(use_true_random=False))
def test_no_order_and_no_division_into_partitions_changes_a_number(found, partitions, order):
    whole = counted(found)
    shuffled = found[:]
    order.shuffle(shuffled)
    ensure_same_tables(counted(shuffled), whole)
    table = narrow_table(shuffled)
    place = table["unit_lower"].to_numpy() % np.uint64(partitions)
    parts = no_kind_counts(WANTED)
    for partition in range(partitions):
        parts = parts.plus(counted(table.filter(pa.array(place == partition))))
    ensure_same_tables(parts, whole)
    assert (parts.kept, parts.repeats, parts.partitions) == (whole.kept, whole.repeats, partitions)


RAW = pa.table(concatenate(BUSY, crates(150, 7, kind="organisation", seed=3, first=20_000)))


def counted_from_raw(raw, batches, partitions):
    """What an engine does: narrow each batch, exchange by unit, count each partition, add up."""
    wanted = pickle.loads(pickle.dumps(WANTED))
    ends = np.linspace(0, raw.num_rows, batches + 1).astype(int)
    pieces = [
        raw.slice(a, b - a).combine_chunks().to_batches()[0] for a, b in zip(ends, ends[1:], strict=False)
    ]
    with connected() as con:
        rows = pa.concat_tables(n.rows for n in narrow(con, CountJob(HARVEST, JUNE, {}), "salt", pieces))
        place = rows["unit_lower"].to_numpy() % np.uint64(partitions)
        total = no_kind_counts(wanted)
        for partition in range(partitions):
            con.register("narrow_rows", rows.filter(pa.array(place == partition)))
            total = total.plus(count_kinds(con, wanted, "SELECT * FROM narrow_rows"))
    return total


@pytest.mark.parametrize(("batches", "partitions"), [(3, 1), (1, 5), (7, 3)])
def test_raw_rows_are_counted_the_same_in_any_split(batches, partitions):
    whole = counted_from_raw(RAW, 1, 1)
    order = np.random.default_rng(batches).permutation(RAW.num_rows)
    ensure_same_tables(counted_from_raw(RAW.take(order), batches, partitions), whole)
    assert whole.tables["persons"]["persons"].sum() == 61
    assert whole.tables["firms"]["organisations"].tolist() == [7]
    assert sum(t[-1].sum() for t in [whole.tables["crates by kind"][0, 0, 0]]) == 150


def test_neither_threads_nor_the_size_of_blocks_changes_a_number():
    """A person with more rows than several blocks have, among many others."""
    draw = np.random.default_rng(5)
    unit = np.concatenate([np.full(9_000, 70), draw.integers(0, 4_000, 11_000)])
    lot, word = (
        draw.permutation(len(unit)),
        draw.integers(0, 6, len(unit)) | (draw.integers(0, 30, len(unit)) << 5),
    )
    table = narrow_table(
        [
            Row(int(u), int(n), plant=int(w) & 7, day=int(w) >> 5, is_person=u % 3 > 0)
            for u, n, w in zip(unit, lot, word, strict=True)
        ]
    )
    whole = counted(table)
    ensure_same_tables(counted(table, block_rows=2_048), whole)
    with connected(threads=4) as con:
        con.register("narrow_rows", table)
        ensure_same_tables(count_kinds(con, WANTED, "SELECT * FROM narrow_rows", block_rows=2_048), whole)
    assert whole.tables["crates a gardener"]["rows"][-1] >= 8


def test_no_row_is_no_count():
    ensure_same_tables(counted([]), no_kind_counts(WANTED))


def test_nothing_that_was_counted_is_shown():
    found = counted([Row(unit, 0) for unit in range(977)])
    assert found.kept == found.tables["persons"]["persons"].sum() == 977
    assert "array" not in repr(found)


def test_tables_may_be_wanted_one_by_one():
    found = [Row(n % 5, n, plant=n % 7, state=n % 3, sold=n % 2 > 0, is_person=n % 5 > 0) for n in range(60)]
    whole = counted(found)
    for kind in WANTED.kinds:
        (tables,) = counted(found, wanted_tables(kind)).tables.values()
        for key, table in tables.items():
            assert np.array_equal(table, whole.tables[kind.name][key])


def test_an_activity_table_is_the_one_that_noise_is_added_to():
    """Persons with 0 to 90 rows, of which every other has a flag; 2 P is what is measured of the rows of a band."""
    bands = activity_bands((2, 5))
    activity = (WantedActivity("all", bands.ends), WantedActivity("sold", bands.ends, where="sold"))
    found = counted(
        [Row(n, lot, sold=lot % 2 > 0) for n in range(91) for lot in range(n)], wanted_tables(*activity)
    )
    for name, rows in (("all", np.arange(91)), ("sold", np.arange(91) // 2)):
        persons, seen = found.tables[name]["persons"], found.tables[name]["rows"]
        expected = count_activity(bands, rows).counts
        assert np.array_equal([persons, 2 * seen - bands.twice_mid * persons], expected)
