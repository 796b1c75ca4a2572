"""The standard errors that are printed for ads and moderation come out on frozen declarations that state W_X."""

from __future__ import annotations

from math import sqrt

import pytest

from datasets.definition import Cuboid
from datasets.privacy.reach.planning import ReachPlan
from datasets.privacy.reach.variance import noise_of, variance_of_reach
from tests.datasets.privacy.reach.schemas import (
    ADS,
    ADS_CALENDAR_BY_THE_TOTAL,
    MODERATION,
    ReachSchema,
)

PRINTED_ADS = {  # all persons, by member_state, by age_band
    "persons": (63, 40, 47),
    "ad_format": (97, 62, 73),
    "product_category": (111, 72, 83),
    "targeting_basis": (103, 66, 77),
    "week": (93, 59),
    "day": (114, 72),
    "product_category x week": (135,),
    "product_risk_class x targeting_basis": (126,),
}
PRINTED_MODERATION = {  # all persons, by account_type
    "persons": (44, 36),
    "category": (68, 56),
    "member_state": (80, 65),
    "keyword": (66,),
    "week": (67,),
    "day": (82,),
    "category x member_state": (69,),
    "category x day": (78,),
}


def errors_of(schema: ReachSchema) -> dict[str, list[float]]:
    """The standard error of each cuboid of each family's W_X, over persons of all codes and by each attribute."""
    plans = schema.plan()
    persons = [cuboid for cuboid in plans.persons.workload if sum(cuboid) <= 1]
    found = {"persons": [sqrt(plans.persons.mean_variance(cuboid)) for cuboid in persons]}
    for name, made in plans.families.items():
        found[name] = [error_of(plans, name, cuboid) for cuboid in made.plan.workload]
    return found


def error_of(plans: ReachPlan, family: str, cuboid: Cuboid) -> float:
    made = plans.families[family]
    carried = float(made.family.centre) ** 2 * plans.persons.mean_variance(cuboid)
    return sqrt(made.plan.mean_variance(cuboid) + carried)


def largest_difference(found: dict[str, list[float]], printed: dict[str, tuple[int, ...]]) -> float:
    pairs = [(found[name], row) for name, row in printed.items()]
    return max(
        abs(error / row[at] - 1) for errors, row in pairs for at, error in enumerate(errors[: len(row)])
    )


def test_the_errors_of_ads_come_out_within_one_percent():
    """W_X: one-way event dimensions by the total, member_state and age_band; week and day by the total and member_state; crosses
    by the total."""
    assert largest_difference(errors_of(ADS), PRINTED_ADS) < 0.01


def test_with_week_and_day_by_the_total_alone_the_errors_of_ads_are_four_percent_lower():
    printed = {**PRINTED_ADS, "week": (93,), "day": (114,)}
    found = errors_of(ADS_CALENDAR_BY_THE_TOTAL)
    assert largest_difference(found, printed) < 0.06
    assert all(found[name][0] < row[0] for name, row in printed.items())


def test_the_errors_of_moderation_come_out_within_five_percent():
    """W_X: one-way event dimensions by the total and account_type; keyword, week, day and crosses by the total; category by week is
    one of the crosses."""
    assert largest_difference(errors_of(MODERATION), PRINTED_MODERATION) < 0.05


@pytest.mark.parametrize("schema", [ADS, MODERATION], ids=["ads", "moderation"])
def test_the_error_of_a_cell_is_that_of_the_formula_for_variances(schema):
    plans = schema.plan()
    nothing = [None] * len(schema.axes)
    for name, made in plans.families.items():
        total = (0,) * len(schema.axes)
        found = variance_of_reach(schema.axes, plans.persons.variances, noise_of(made), nothing)
        assert sqrt(found.item()) == pytest.approx(error_of(plans, name, total), rel=1e-12)


def test_a_family_without_a_cap_is_hardly_dearer_than_the_persons():
    """27 product categories, each with less than twice the error of the persons themselves."""
    found = errors_of(ADS)
    assert found["product_category"][0] < 2 * found["persons"][0]
