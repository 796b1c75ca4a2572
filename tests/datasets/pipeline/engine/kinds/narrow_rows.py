"""Narrow rows of the small dataset, as numbers that a test can choose, and everything that can be wanted of it."""

from dataclasses import dataclass
from functools import cache

import duckdb
import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from datasets.pipeline.engine.counting import covering_tables
from datasets.pipeline.engine.kinds.partition import count_kinds
from datasets.pipeline.engine.kinds.wanted import (
    ClampedValue,
    PersonAttributes,
    WantedActivity,
    WantedEvents,
    WantedMix,
    WantedOrganisations,
    WantedReach,
    WantedTables,
)
from datasets.privacy.axis import axes_of
from tests.datasets.pipeline.small_dataset import JUNE, small_dataset

HARVEST = small_dataset()
BITS = (3, 2, 5)
"""Bits of a plant, a state and a day in the word of a row."""
ENDS = (1, 3, 6)
TOTAL = (0, 0, 0)
CUBOIDS = tuple((plant, state, day) for plant in (0, 1, 2) for state in (0, 1) for day in (0, 1))
PEOPLE = PersonAttributes((1, 1, 0), by_activity=True)
NOBODY = PersonAttributes(TOTAL)
BY_PLANT = PersonAttributes((2, 0, 0))


@dataclass(frozen=True)
class Row:
    """A narrow row. Of unit and lot, the number is that of both halves: halves collide, pairs do not."""

    unit: int
    lot: int
    at: int = 0
    is_person: bool = True
    plant: int = 0
    state: int = 0
    day: int = 0
    sold: bool = False
    cents: int = 0

    @property
    def word(self) -> int:
        return self.plant | self.state << BITS[0] | self.day << (BITS[0] + BITS[1])


def wanted_tables(*kinds) -> WantedTables:
    return WantedTables(HARVEST, JUNE, ENDS, kinds)


COVERING = covering_tables(axes_of(HARVEST, JUNE), {"all": CUBOIDS})["all"]
WANTED = wanted_tables(
    WantedEvents("crates", COVERING, ENDS),
    WantedEvents("crates by kind", ((1, 0, 0), TOTAL), (1, 2, 5)),
    WantedEvents("sales", CUBOIDS[1:4], (1, 2, 3), where="sold"),
    WantedEvents("takings", CUBOIDS[2:6], (1, 2, 3), where="sold", value=ClampedValue("cents", 0, 100)),
    WantedEvents("prices", ((0, 1, 0),), ENDS, value=ClampedValue("cents", -8, 1 << 31)),
    WantedMix("gardeners mix", CUBOIDS),
    WantedReach("persons", TOTAL, 1, PEOPLE),
    WantedReach("gardeners by plant", (2, 0, 0), 2, PEOPLE),
    WantedReach("gardeners by kind", (1, 0, 0), 3, PersonAttributes((0, 1, 1))),
    WantedReach("gardeners by state and day", (0, 1, 1), 3, NOBODY),
    WantedReach("gardeners by day", (0, 0, 1), 1, BY_PLANT),
    WantedOrganisations("firms", TOTAL),
    WantedOrganisations("firms by plant and state", (2, 1, 0)),
    WantedActivity("crates a gardener", (1, 2, 3, 6, 8)),
    WantedActivity("sales a gardener", (1, 3, 4), where="sold"),
)

rows = st.builds(
    Row, st.integers(0, 7), st.integers(0, 30), st.integers(0, 1), st.sampled_from([True, False, False]),
    st.integers(0, 6), st.integers(0, 2), st.sampled_from([0, 1, 29]), st.booleans(),
    st.one_of(st.integers(-5, 120), st.sampled_from([-(10**15), 10**15])),
)  # fmt: skip
"""Persons, organisations and units that are both; repeats; most units have more rows than some cap."""
inputs = st.lists(rows, max_size=70)


def halves(numbers):
    """The upper and the lower halves of numbers: 0 to 7 become all pairs with upper 0, 1 and 2^63 and their lower parts."""
    upper = [(0, 1, 1 << 63)[number % 3] for number in numbers]
    return np.array(upper, dtype=np.uint64), np.array([number // 3 for number in numbers], dtype=np.uint64)


def half_order(number: int) -> tuple[int, int]:
    """The place of a number in the order of its halves."""
    ((upper,), (lower,)) = halves([number])
    return int(upper), int(lower)


def narrow_table(found: list[Row]) -> pa.Table:
    (unit_upper, unit_lower), (lot_upper, lot_lower) = (
        halves([row.unit for row in found]),
        halves([row.lot for row in found]),
    )
    return pa.table(
        {
            "unit_upper": unit_upper,
            "unit_lower": unit_lower,
            "lot_upper": lot_upper,
            "lot_lower": lot_lower,
            "at": pa.array([row.at for row in found], pa.int64()),
            "is_person": pa.array([row.is_person for row in found], pa.bool_()),
            "word_0": np.array([row.word for row in found], dtype=np.uint64),
            "sold": pa.array([row.sold for row in found], pa.bool_()),
            "cents": pa.array([row.cents for row in found], pa.int64()),
        }
    )


def connected(threads: int = 1):
    con = duckdb.connect(config={"threads": threads})
    con.execute("SET preserve_insertion_order = false")
    return con


shared_connection = cache(connected)
"""The connection of all tests of this folder, which is closed at their end: opening one takes as long as counting."""


def counted(found: list[Row] | pa.Table, wanted: WantedTables = WANTED, **options):
    """The counts of one partition of these rows."""
    con = shared_connection()
    con.register("narrow_rows", found if isinstance(found, pa.Table) else narrow_table(found))
    try:
        return count_kinds(con, wanted, "SELECT * FROM narrow_rows", **options)
    finally:
        con.unregister("narrow_rows")


def ensure_same_tables(one, other):
    """Bit by bit: names, keys, types, shapes and numbers."""
    assert {n: list(t) for n, t in one.tables.items()} == {n: list(t) for n, t in other.tables.items()}
    for name, tables in one.tables.items():
        for key, table in tables.items():
            assert table.dtype == other.tables[name][key].dtype == np.int64
            assert np.array_equal(table, other.tables[name][key]), (name, key)
