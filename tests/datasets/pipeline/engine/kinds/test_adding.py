"""What is added is exact, whatever the sizes of tables and weights."""

from fractions import Fraction
from itertools import product

import numpy as np
import pyarrow as pa
import pytest

from datasets.pipeline.engine.kinds.adding import add_to_cells, reach_weights
from datasets.pipeline.engine.kinds.wanted import ClampedValue, WantedEvents
from tests.datasets.pipeline.engine.kinds.narrow_rows import ENDS, TOTAL, Row, counted, wanted_tables


@pytest.mark.parametrize("cells", [1, 3, 1000])
@pytest.mark.parametrize("most", [1, 1 << 20, (1 << 53) + 1])
def test_sums_are_exact_in_small_and_large_tables(cells, most):
    draw = np.random.default_rng(cells)
    at, weights = draw.integers(0, cells, 40), draw.integers(-most, most, 40, endpoint=True)
    table = np.full(cells, 5, dtype=np.int64)
    add_to_cells(table, at, weights, most)
    add_to_cells(table, at)
    expected = [
        5 + sum(int(w) + 1 for c, w in zip(at, weights, strict=True) if c == cell) for cell in range(cells)
    ]
    assert table.tolist() == expected


def test_a_sum_that_no_double_holds_is_exact():
    """2^22 + 3 rows of an organisation, each 2^31 from the middle, and one that is 1 from it."""
    number, half = (1 << 22) + 3, 1 << 31
    kind = WantedEvents("takings", (TOTAL,), ENDS, value=ClampedValue("cents", -half, half))
    table = wanted_tables(kind)
    row = Row(1, 0, is_person=False)
    found = counted(_many(row, number, half), table, block_rows=1 << 23)
    assert found.tables["takings"][TOTAL][-1].tolist() == [number * half + 1]
    assert float(number * half + 1) != number * half + 1


def _many(row, number, cents):
    """So many rows of one organisation, as a table of constants, and one of 1."""
    size = number + 1
    zeros, values = np.zeros(size, dtype=np.uint64), np.full(size, cents)
    values[-1] = 1
    return pa.table(
        {
            "unit_upper": zeros, "unit_lower": zeros, "lot_upper": np.arange(size, dtype=np.uint64), "lot_lower": zeros,
            "at": zeros.astype(np.int64), "is_person": zeros.astype(bool), "word_0": zeros, "sold": zeros.astype(bool),
            "cents": values,
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("codes", "cap", "weight"), [(1, 5, 1000), (5, 5, 1000), (8, 5, 790), (10, 5, 707), (20, 5, 500)]
)
def test_a_person_in_more_cells_than_the_cap_weighs_less_in_each(codes, cap, weight):
    assert reach_weights(31, cap)[codes] == weight


def test_no_weight_is_larger_than_it_may_be_nor_smaller_than_it_must():
    for cells, cap in product((1, 2, 7, 31, 868), (1, 2, 5, 31)):
        if cap <= cells:
            for k, weight in enumerate(reach_weights(cells, cap).tolist()[1:], start=1):
                assert weight**2 * k <= 1000**2 * cap, "the squares of all weights of a person"
                assert weight == 1000 or (weight + 1) ** 2 > Fraction(1000**2 * cap, k)
