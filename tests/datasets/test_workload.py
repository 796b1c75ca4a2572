"""Which cuboids a declaration publishes: depths, edges, importance, and the levels above a dimension's own."""

from dataclasses import replace

import pytest

from datasets.definition import (
    Code,
    DaysOfMonth,
    DefinitionError,
    Dimension,
    Level,
    WeeksOfMonth,
    up_to,
)
from datasets.period import Month
from datasets.privacy.axis import axes_of
from tests.datasets.pipeline.small_dataset import KIND, PLANT, small_dataset
from tests.datasets.pipeline.weekly_dataset import DAY, WEEK, weekly_dataset

SMALL, WEEKLY = small_dataset(), weekly_dataset()


def names(dataset, publish):
    return [dataset.cuboid_name(cuboid) for cuboid in publish.cuboids(dataset.dimensions)]


def test_an_edge_is_published_alone_and_where_it_is_named():
    publish = up_to(2).edge("state")
    assert names(SMALL, publish) == ["total", "kind", "state", "day", "kind,day"]
    assert names(SMALL, publish.with_cuboid("kind", "state"))[4:] == ["kind,state", "kind,day"]


def test_an_edge_with_finer_levels_has_none_of_them_in_pairs():
    publish = up_to(2).finer("plant", 2).edge("kind")
    assert names(SMALL, publish) == ["total", "plant", "kind", "state", "day", "state,day"]


def test_importance_changes_no_published_cuboid():
    publish = up_to(2).finer("plant", 1)
    important = publish.important("kind").important("kind", "state")
    assert names(SMALL, important) == names(SMALL, publish)
    assert {*map(SMALL.cuboid_name, important.important_cuboids(SMALL.dimensions))} == {"kind", "kind,state"}


def test_edges_and_importance_survive_whatever_is_added_later():
    publish = up_to(1).edge("state").important("kind").finer("plant", 1).with_cuboid("kind", "day")
    assert publish == up_to(1).finer("plant", 1).with_cuboid("kind", "day").edge("state").important("kind")


def test_a_week_is_published_wherever_the_day_is():
    assert names(WEEKLY, up_to(1)) == ["total", "kind", "state", "day", "week"]
    three_way = names(WEEKLY, up_to(0).with_cuboid("kind", "state", "day"))
    assert three_way == ["total", "kind,state,day", "kind,state,week"]
    assert names(WEEKLY, up_to(0).with_cuboid("kind", "state", "week")) == ["total", "kind,state,week"]


def test_weeks_may_be_published_deeper_than_days():
    assert names(WEEKLY, up_to(2).finer("day", 1))[5:] == ["kind,state", "kind,week", "state,week"]


@pytest.mark.parametrize(
    ("month", "fans"),
    [
        ("2026-02", (1, 7, 7, 7, 6)),
        ("2026-06", (7, 7, 7, 7, 2)),
        ("2026-07", (5, 7, 7, 7, 5)),
        ("2026-08", (2, 7, 7, 7, 7, 1)),
        ("2027-02", (7, 7, 7, 7)),
    ],
)
def test_the_parts_of_weeks_divide_the_days_of_each_month(month, fans):
    axis = axes_of(WEEKLY, Month.parse(month))[-1]
    assert axis.fans == ((len(fans),), fans)
    assert axis.name == "day"


def test_a_week_has_the_same_code_in_both_months_and_its_days_as_label():
    months = [WEEK.in_month(Month(2026, month)) for month in (6, 7, 8)]
    assert [codes.codes[-1] for codes in months] == [
        Code("2026-W27", "2026-06-29 to 2026-06-30"),
        Code("2026-W31", "2026-07-27 to 2026-07-31"),
        Code("2026-W36", "2026-08-31"),
    ]
    assert months[1].codes[0] == Code("2026-W27", "2026-07-01 to 2026-07-05")
    assert WEEK.in_month(Month(2027, 1)).codes[0].code == "2026-W53"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: up_to(2).important("plant", "day"), "plant,day is important, but not published"),
        (lambda: up_to(2).important("colour"), "'colour', which is not a level"),
        (lambda: up_to(2).edge("plant"), "'plant' is an edge, but not a dimension"),
    ],
)
def test_wrong_importance_and_edges_are_refused(make, sentence):
    crates, *others = SMALL.measures
    with pytest.raises(DefinitionError, match=sentence):
        replace(SMALL, measures=(replace(crates, publish=make()), *others))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Dimension("day", "When", DaysOfMonth(), coarser=(Level("week", WEEK),)), "not within the list of 'week'"),
        (
            lambda: Dimension("day", "When", DaysOfMonth(within=WeeksOfMonth("w")), coarser=(Level("week", WEEK),)),
            "not within the list of 'week'",
        ),
        (
            lambda: Dimension("plant", "What", PLANT, coarser=(Level("kind", WEEK),)),
            "the list of 'plant' is not within the list of 'kind'",
        ),
        (
            lambda: replace(WEEKLY, dimensions=(*SMALL.dimensions, replace(DAY, name="date", codes=DAY.codes))),
            "exactly one calendar dimension, named 'day'",
        ),
    ],
)  # fmt: skip
def test_wrong_calendars_are_refused(make, sentence):
    with pytest.raises(DefinitionError, match=sentence):
        make()


def test_any_dimension_may_be_named_after_its_finer_level():
    plant = Dimension("plant", "What grew", PLANT, coarser=(Level("kind", KIND),))
    dataset = replace(SMALL, dimensions=(plant, *SMALL.dimensions[1:]))
    assert names(dataset, up_to(1)) == ["total", "plant", "kind", "state", "day"]
