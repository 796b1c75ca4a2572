"""Coverings: whatever is wanted is a sum of a table that is counted, and no table outgrows the cache."""

from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.catalogue import DATASETS
from datasets.period import Month
from datasets.pipeline.engine.covering import MAX_CELLS, cover_cuboids, select_tables
from datasets.pipeline.planning.budget import plan_budget
from datasets.privacy.axis import Axis
from datasets.privacy.plan import cell_count

AXES = (Axis("plant", ((3,), (3, 2, 2))), Axis("state", ((4,),)), Axis("day", ((5,),)), Axis("sex", ((2,),)))
cuboids = st.sets(
    st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 1), st.integers(0, 1)), min_size=1
)


def contains(table, cuboid):
    return all(fine >= coarse for fine, coarse in zip(table, cuboid, strict=True))


@settings(max_examples=60)
@given(cuboids, st.integers(1, 300))
def test_every_wanted_cuboid_is_a_sum_of_a_table(wanted, most):
    tables = cover_cuboids(AXES, wanted, most)
    assert all(any(contains(table, cuboid) for table in tables) for cuboid in wanted)
    widest = max(cell_count(AXES, cuboid) for cuboid in wanted)
    assert all(cell_count(AXES, table) <= max(most, widest) for table in tables)
    some = {cuboid for cuboid in wanted if cuboid[0] < 2}
    assert all(any(contains(table, cuboid) for table in select_tables(tables, some)) for cuboid in some)


def test_every_dataset_is_counted_in_a_fifth_of_the_passes_or_so():
    for dataset in DATASETS:
        budget = plan_budget(dataset, Month(2026, 6))
        axes = next(iter(budget.measures.values())).axes
        wanted = {cuboid for plan in budget.measures.values() for cuboid in plan.rho_of}
        tables = cover_cuboids(axes, wanted)
        assert len(tables) < len(wanted) / 4
        assert all(cell_count(axes, table) <= MAX_CELLS for table in tables)
