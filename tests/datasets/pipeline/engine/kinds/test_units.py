"""Blocks have whole units, in any batches that the rows arrive in."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.pipeline.engine.kinds.units import unit_blocks, whole_units
from tests.datasets.pipeline.engine.kinds.narrow_rows import WANTED, Row, connected, narrow_table


@settings(max_examples=100)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=12), st.lists(st.integers(1, 5), max_size=40))
def test_batches_are_joined_and_cut_where_units_end(rows_of, sizes):
    units = np.repeat(np.arange(len(rows_of), dtype=np.uint64), rows_of)
    table = pa.table(
        {
            "unit_upper": units // np.uint64(3),
            "unit_lower": units % np.uint64(3),
            "row": np.arange(len(units)),
        }
    )
    cuts = [0, *(n for n in np.cumsum(sizes).tolist() if n < len(units)), len(units)]
    batches = [
        table.slice(a, b - a).combine_chunks().to_batches()[0] for a, b in zip(cuts, cuts[1:], strict=False)
    ]
    made = list(whole_units(iter(batches)))
    assert [row for each in made for row in each["row"].to_pylist()] == list(range(len(units)))
    lasts = [int(units[each["row"][-1].as_py()]) for each in made]
    firsts = [int(units[each["row"][0].as_py()]) for each in made]
    assert all(last < first for last, first in zip(lasts, firsts[1:], strict=False))


def test_a_block_has_units_of_one_activity_with_all_their_rows_by_lot():
    """Strata end at 1, 3 and 6 rows; a unit is a person if one row says so."""
    found = [
        Row(unit, lot, day=lot, is_person=unit % 2 == 0 or (unit == 5 and lot == 2))
        for unit, number in enumerate([1, 2, 3, 1, 9, 4, 7])
        for lot in reversed(range(number))
    ]
    with connected() as con:
        con.register("narrow_rows", narrow_table(found))
        blocks = list(unit_blocks(con, WANTED, "SELECT * FROM narrow_rows"))
    rows_of = {a: sorted(n for b in blocks if b.activity == a for n in b.rows_of.tolist()) for a in range(4)}
    assert rows_of == {0: [1], 1: [3], 2: [4, 7, 9], 3: [1, 2]}
    for block in blocks:
        assert block.is_person == (block.activity < 3)
        days = np.split(block.codes[2], np.cumsum(block.rows_of)[:-1])
        ranks = np.split(block.ranks, np.cumsum(block.rows_of)[:-1])
        assert all(each.tolist() == list(range(len(each))) for each in ranks)
        assert all(each.tolist() == sorted(each, key=lambda lot: (lot % 3, lot)) for each in days)
