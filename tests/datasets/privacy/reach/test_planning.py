"""The budget of reach is split exactly, by the rule of the page or as it is declared."""

from __future__ import annotations

from fractions import Fraction
from math import prod, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.definition import Cuboid
from datasets.privacy.plan import residuals_of
from datasets.privacy.reach.family import Family
from datasets.privacy.reach.planning import default_shares, plan_reach
from datasets.privacy.zcdp import rho_spent
from tests.datasets.privacy.reach.schemas import ADS, MODERATION, SMALL, ReachSchema
from tests.datasets.privacy.schemas import Axes, flat, often
from tests.datasets.privacy.test_plan_spends import worst_row

TOTAL, BOTH = (0, 0), [(0, 0), (1, 0), (0, 1), (1, 1)]
AXES = flat(3, 4)


def two_families() -> list[Family]:
    return [Family("format", 8, 8, ((0, 0), (1, 0))), Family("keyword", 60, 5, (TOTAL,))]


@pytest.mark.parametrize("schema", [ADS, MODERATION, SMALL], ids=["ads", "moderation", "small"])
def test_a_plan_of_reach_spends_exactly_its_rho(schema):
    made = schema.plan()
    assert made.rho == schema.rho
    plans = [made.persons, *(each.plan for each in made.families.values())]
    assert sum((rho for plan in plans for rho in plan.rho_of.values()), Fraction(0)) == schema.rho


@given(st.fractions(min_value=Fraction(1, 1000), max_value=1, max_denominator=1000))
@often
def test_any_rho_is_spent_exactly(rho):
    made = plan_reach(AXES, two_families(), persons=BOTH, rho=rho)
    assert made.persons.rho + sum(each.plan.rho for each in made.families.values()) == rho


@pytest.mark.parametrize("schema", [ADS, MODERATION, SMALL], ids=["ads", "moderation", "small"])
def test_the_noise_of_a_family_pays_for_its_worst_person(schema):
    """d times what one row costs in each residual, with the doubles that are used as noise scales: at most its rho."""
    for each in schema.plan().families.values():
        spent = sum(
            rho_spent(worst_row(schema.axes, b) / Fraction(each.plan.deviation(b)) ** 2, 1)
            * each.family.squared_sensitivity
            for b in each.plan.rho_of
        )
        assert spent <= each.plan.rho
        assert spent >= each.plan.rho * Fraction(999, 1000)
        assert (each.plan.sensitivity, each.plan.grain) == (each.family.sensitivity, 2000 * each.family.cells)


def objective(axes: Axes, workload: list[Cuboid]) -> float:
    """T² of docs/privacy/planning.md#the-split for flat axes and weights 1/sqrt(cells), written out: at a cost of sum p/s = 1."""
    need: dict[Cuboid, float] = {}
    sizes = [axis.size(1) for axis in axes]
    for cuboid in workload:
        cells = prod(n for n, a in zip(sizes, cuboid, strict=True) if a)
        for b in residuals_of(cuboid):
            factors = ((n - 1 if b_i else 1 / n) for n, a, b_i in zip(sizes, cuboid, b, strict=True) if a)
            need[b] = need.get(b, 0.0) + prod(factors) / sqrt(cells)
    cost = {b: prod(1 - 1 / n for n, b_i in zip(sizes, b, strict=True) if b_i) for b in need}
    return sum(sqrt(cost[b] * need[b]) for b in need) ** 2


def expected_shares(schema: ReachSchema) -> dict[str, float]:
    """The rule of the page, from its own centre, price and objective."""
    shares = {}
    carried = 0.0
    for family in schema.families:
        n, c = family.cells, family.cap
        b = min(c / n, 0.5)
        carried += b * b * sqrt(n)
        price = c * (1 - 2 * b) + n * b * b
        shares[family.name] = sqrt(price * objective(schema.axes, list(family.workload)) * sqrt(n))
    shares["persons"] = sqrt(objective(schema.axes, list(schema.persons)) * (1 + carried / 3))
    return {name: share / sum(shares.values()) for name, share in shares.items()}


@pytest.mark.parametrize("schema", [ADS, MODERATION, SMALL], ids=["ads", "moderation", "small"])
def test_the_default_shares_are_those_of_the_rule(schema):
    found = default_shares(schema.axes, schema.families, schema.persons)
    assert sum(found.values()) == 1
    assert {name: float(share) for name, share in found.items()} == pytest.approx(
        expected_shares(schema), rel=1e-9
    )


def test_declared_shares_are_kept_exactly():
    shares = {"persons": Fraction(1, 2), "format": Fraction(1, 3), "keyword": Fraction(1, 6)}
    made = plan_reach(AXES, two_families(), persons=BOTH, rho=Fraction(6, 100), shares=shares)
    assert made.persons.rho == Fraction(3, 100)
    assert {name: each.plan.rho for name, each in made.families.items()} == {
        "format": Fraction(2, 100), "keyword": Fraction(1, 100),
    }  # fmt: skip


def test_the_persons_pay_for_one_row_in_one_cell():
    """A weight of one and nothing subtracted: never the price 1/4 of the formula at n = c = 1."""
    made = SMALL.plan()
    assert (made.persons.sensitivity, made.persons.grain) == (1, 1)
    spent = sum(
        rho_spent(worst_row(SMALL.axes, b) / Fraction(made.persons.deviation(b)) ** 2, 1)
        for b in made.persons.rho_of
    )
    assert made.persons.rho * (1 - Fraction(1, 1 << 50)) <= spent <= made.persons.rho


@pytest.mark.parametrize(
    ("shares", "sentence"),
    [
        ({"persons": Fraction(1, 2), "format": Fraction(1, 2)}, "shares names format, persons; it names exactly format,"),
        ({"persons": Fraction(1, 2), "format": Fraction(1, 4), "keyword": Fraction(1, 5)}, "add up to 19/20; they are"),
        ({"persons": Fraction(1), "format": Fraction(0), "keyword": Fraction(0)}, "positive and add up to exactly 1"),
    ],
)  # fmt: skip
def test_shares_that_do_not_fit_are_refused(shares, sentence):
    with pytest.raises(ValueError, match=sentence):
        plan_reach(AXES, two_families(), persons=BOTH, rho=Fraction(1, 10), shares=shares)


def test_a_family_that_is_published_by_more_than_the_persons_is_refused():
    """Its numbers contain a part of the persons' number, which must be published by the same person attributes."""
    with pytest.raises(ValueError, match=r"family 'format' is published by \(1, 0\), the persons are not"):
        plan_reach(AXES, two_families(), persons=[TOTAL], rho=Fraction(1, 10))


@pytest.mark.parametrize("name", ["format", "persons"])
def test_a_name_of_a_family_that_is_taken_is_refused(name):
    again = [*two_families(), Family(name, 3, 3, (TOTAL,))]
    with pytest.raises(ValueError, match=f"the name of a family is '{name}'; each name stands once"):
        plan_reach(AXES, again, persons=BOTH, rho=Fraction(1, 10))
