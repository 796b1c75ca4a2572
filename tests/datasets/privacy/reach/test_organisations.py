"""Organisations' reach: different organisations in each cell, of which one event may change one by one."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from datasets.privacy.reach.organisations import (
    OrganisationFamily,
    measure_organisations,
    plan_organisations,
)
from datasets.privacy.residuals import ExactTable
from tests.datasets.privacy.reach.schemas import normal_noise
from tests.datasets.privacy.schemas import silence

FAMILIES = [OrganisationFamily("all", 1), OrganisationFamily("category", 16), OrganisationFamily("day", 81)]
RHO = Fraction(1, 100)


def test_the_plans_cost_an_event_exactly_rho_and_each_cell_has_the_variance_of_its_share():
    plans = plan_organisations(FAMILIES, rho=RHO)
    assert sum(made.plan.rho for made in plans.values()) == RHO
    for made in plans.values():
        assert (made.plan.sensitivity, made.plan.grain) == (1, 1)
        assert made.plan.variances[()] == pytest.approx(1 / (2 * float(made.plan.rho)), rel=1e-12)


def test_the_default_shares_grow_with_the_fourth_root_of_the_cells():
    plans = plan_organisations(FAMILIES, rho=RHO)
    shares = {name: float(made.plan.rho / RHO) for name, made in plans.items()}
    assert shares == pytest.approx({"all": 1 / 6, "category": 2 / 6, "day": 3 / 6}, rel=1e-12)


def test_without_noise_the_numbers_are_the_counts():
    counts = {"all": [7], "category": list(range(16)), "day": [3] * 81}
    tables = measure_organisations(
        plan_organisations(FAMILIES, rho=RHO),
        {n: ExactTable(np.array(c)) for n, c in counts.items()},
        silence,
    )
    assert {name: table.values.tolist() for name, table in tables.items()} == counts


def test_every_cell_has_noise_of_its_own_with_the_promised_variance():
    """4,000 cells: the mean square is off by six of its standard errors, 13 %, once in 5·10⁸."""
    family = OrganisationFamily("keyword", 4000)
    plans = plan_organisations([family], rho=RHO)
    noise = measure_organisations(
        plans, {"keyword": ExactTable(np.zeros(4000, dtype=np.int64))}, normal_noise(5)
    )["keyword"].values
    found, promised = float((noise**2).mean()), plans["keyword"].plan.variances[()]
    assert promised == pytest.approx(50)
    assert abs(found / promised - 1) < 6 * (2 / 4000) ** 0.5
    assert abs(float((noise[1:] * noise[:-1]).mean())) / promised < 6 / 4000**0.5


def test_declared_shares_are_kept():
    shares = {"all": Fraction(1, 2), "category": Fraction(1, 4), "day": Fraction(1, 4)}
    plans = plan_organisations(FAMILIES, rho=RHO, shares=shares)
    assert plans["all"].plan.rho == RHO / 2


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="family 'none': cells is 0; a family has at least 1 cell"):
        OrganisationFamily("none", 0)
    with pytest.raises(ValueError, match="two families of organisations have one name"):
        plan_organisations([*FAMILIES, OrganisationFamily("all", 3)], rho=RHO)
    with pytest.raises(ValueError, match="it names exactly all, category, day"):
        plan_organisations(FAMILIES, rho=RHO, shares={"all": Fraction(1)})
    plans = plan_organisations(FAMILIES[:1], rho=RHO)
    with pytest.raises(
        ValueError, match=r"family 'all': its counts have the shape \(2,\); expected is \(1,\)"
    ):
        measure_organisations(plans, {"all": ExactTable(np.zeros(2, dtype=np.int64))}, silence)
