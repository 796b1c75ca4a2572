"""A person's attributes: what most rows say; of equals, what the first of them by lot says; and nobody else's rows."""

import numpy as np
import pytest
from hypothesis import given, settings

from datasets.pipeline.engine.kinds.wanted import PersonAttributes, WantedReach
from tests.datasets.pipeline.engine.kinds.narrow_rows import TOTAL, Row, counted, inputs, wanted_tables

STATES = wanted_tables(WantedReach("persons", TOTAL, 1, PersonAttributes((0, 1, 0))))


def persons_by_state(found):
    return counted(found, STATES).tables["persons"]["persons"].tolist()


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([0, 1, 1], 1),
        ([2, 1, 1, 2], 2),
        ([1, 2, 2, 1], 1),
        ([0, 2, 1, 1, 2], 2),
        ([0, 1, 2], 0),
        ([2], 2),
    ],
    ids=["most", "tied: the first", "tied: the first, not the code", "tied: not the first of all", "all tied", "one row"],
)  # fmt: skip
def test_a_person_has_the_code_of_most_rows_and_of_equals_that_of_the_first_row_by_lot(states, expected):
    """Lots 0, 3, 6, ... are in this order. The order of the input is another one."""
    found = [Row(4, 3 * lot, state=state) for lot, state in enumerate(states)]
    for order in (found, found[::-1], [*found[1::2], *found[::2]]):
        assert persons_by_state(order) == [int(state == expected) for state in range(3)]


def test_each_row_of_an_event_that_is_repeated_counts_once():
    found = [Row(4, 0, state=1), Row(4, 3, state=1), *(Row(4, 6, at=n, state=2) for n in range(5))]
    assert persons_by_state(found) == [0, 1, 0]


def test_organisations_have_no_attributes():
    assert persons_by_state([Row(4, lot, is_person=False) for lot in range(3)]) == [0, 0, 0]


@settings(max_examples=20)
@given(inputs)
def test_everybody_is_in_one_leaf_which_is_theirs_alone(found):
    """The tables of all persons are the sums of the tables of each."""
    alone = [
        counted([row for row in found if row.unit == unit], STATES) for unit in {row.unit for row in found}
    ]
    together = np.array([one.tables["persons"]["persons"] for one in alone]).reshape(-1, 3)
    assert persons_by_state(found) == together.sum(axis=0).tolist()
    assert set(together.sum(axis=1).tolist()) <= {0, 1}
