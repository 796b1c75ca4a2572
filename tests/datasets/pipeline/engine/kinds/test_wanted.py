"""What is wanted is plain data, checked when it is made."""

import pickle

import pytest

from datasets.definition.rules import DefinitionError
from datasets.pipeline.engine.kinds.wanted import (
    ClampedValue,
    PersonAttributes,
    WantedActivity,
    WantedEvents,
    WantedMix,
    WantedReach,
    WantedTables,
)
from tests.datasets.pipeline.engine.kinds.narrow_rows import (
    ENDS,
    HARVEST,
    NOBODY,
    TOTAL,
    WANTED,
    wanted_tables,
)
from tests.datasets.pipeline.small_dataset import JUNE

CENTS = ClampedValue("cents", 0, 100)


def test_it_can_be_sent_and_says_nothing_of_salt_or_place():
    assert pickle.loads(pickle.dumps(WANTED)) == WANTED
    assert set(WantedTables.__dataclass_fields__) == {"dataset", "month", "ends", "kinds"}


def test_only_columns_that_are_needed_are_read():
    assert WANTED.values == ("sold", "cents")
    assert wanted_tables(WantedActivity("activity", (1, 2), where="sold")).values == ("sold",)
    assert wanted_tables(WantedMix("mix", (TOTAL,))).values == ()


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (WantedEvents("x", (TOTAL,), (1, 2)), r"caps \(1, 2\) must be 3 numbers from 1, one for each stratum"),
        (WantedEvents("x", (TOTAL,), (0, 1, 2)), r"caps \(0, 1, 2\) must be 3 numbers from 1"),
        (WantedEvents("x", (TOTAL,), ENDS, where="cents"), "'cents', which is not a flag"),
        (WantedEvents("x", (TOTAL,), ENDS, value=ClampedValue("sold", 0, 2)), "'sold', which is not an integer value"),
        (WantedEvents("x", ((3, 0, 0),), ENDS), r"cuboid \(3, 0, 0\) must have a level from 0 to \(2, 1, 1\)"),
        (WantedMix("x", ((0, 0),)), r"cuboid \(0, 0\) must have a level from 0 to \(2, 1, 1\)"),
        (WantedReach("x", (1, 0, 0), 4, NOBODY), "cap 4 must be from 1 to 3, its cells"),
        (WantedReach("x", (1, 0, 0), 0, NOBODY), "cap 0 must be from 1 to 3, its cells"),
        (WantedReach("x", (1, 0, 0), 1, PersonAttributes((0, 2, 0))), r"attributes \(0, 2, 0\) must have a level"),
        (WantedActivity("x", (2, 2)), r"bands: \(2, 2\) must be whole numbers from 1, each above the one before"),
        (WantedActivity("x", (2,), where="eaten"), "'eaten', which is not a flag"),
    ],
)  # fmt: skip
def test_what_contradicts_the_dataset_is_refused_with_what_would_be_right(kind, sentence):
    with pytest.raises(DefinitionError, match=f"tables 'x'.*{sentence}"):
        wanted_tables(kind)


def test_strata_rise_and_names_differ():
    with pytest.raises(DefinitionError, match=r"strata: \(3, 3\) must be whole numbers from 1, each above"):
        WantedTables(HARVEST, JUNE, (3, 3))
    with pytest.raises(DefinitionError, match=r"tables \['x'\] are wanted more than once"):
        wanted_tables(WantedMix("x", (TOTAL,)), WantedMix("x", (TOTAL,)))


@pytest.mark.parametrize(
    ("lower", "upper", "sentence"),
    [
        (5, 5, "5..5 is empty"),
        (0, 3, "0..3 must be even"),
        (0, (1 << 32) + 2, "must be at most 4294967296 wide"),
    ],
)
def test_the_range_of_a_value_has_a_whole_middle_and_exact_sums(lower, upper, sentence):
    with pytest.raises(DefinitionError, match=f"value 'cents': the range .*{sentence}"):
        ClampedValue("cents", lower, upper)
    assert (CENTS.middle, CENTS.half_range) == (50, 50)
