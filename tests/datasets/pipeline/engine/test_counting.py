"""Exact tables: what is counted from rows and what is summed from other tables is the same."""

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.pipeline.engine.counting import Counter, covering_tables, roll_up
from datasets.privacy.axis import Axis

AXES = (Axis("plant", ((3,), (3, 2, 2))), Axis("state", ((4,),)), Axis("day", ((5,),)))
EVERY = list(product(range(3), range(2), range(2)))


def brute_force(cuboid, codes, weights):
    table = np.zeros([axis.size(level) for axis, level in zip(AXES, cuboid, strict=True)], dtype=np.int64)
    above = {0: [0] * 7, 1: [0, 0, 0, 1, 1, 2, 2], 2: list(range(7))}
    for plant, state, day, weight in zip(*codes, weights, strict=True):
        table[above[cuboid[0]][plant], state * cuboid[1], day * cuboid[2]] += weight
    return table


rows = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 3), st.integers(0, 4), st.integers(-(10**9), 10**9)),
    max_size=60,
)
closures = st.sampled_from(
    [EVERY, [c for c in EVERY if sum(map(bool, c)) < 3], [c for c in EVERY if c[0] < 2], [(0, 0, 0)]]
)


@settings(max_examples=60)
@given(rows, closures, st.integers(1, 3))
def test_every_table_equals_counting_row_by_row(rows, wanted, batches):
    codes = [np.array([row[i] for row in rows], dtype=np.intp) for i in range(3)]
    weights = np.array([row[3] for row in rows], dtype=np.float64)
    counter = Counter(AXES, covering_tables(AXES, {"weight": wanted, "rows": wanted}))
    for part in np.array_split(np.arange(len(rows)), batches):
        counter.add_batch([c[part] for c in codes], {"weight": weights[part], "rows": np.ones(len(part))})
    tables, numbers = (roll_up(AXES, counter.exact()[name], wanted) for name in ("weight", "rows"))
    assert set(tables) == set(wanted)
    for cuboid in wanted:
        assert np.array_equal(tables[cuboid].counts, brute_force(cuboid, codes, weights.astype(int)))
        assert numbers[cuboid].counts.sum() == len(rows)
