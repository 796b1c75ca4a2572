"""Declarations of reach, frozen: which families, with which W_X. The printed standard errors hold for them only.

`ADS` and `MODERATION` are the full lists; person attributes are published up to two-way. In `MODERATION` the one-way event
dimensions are those that are not person attributes. `SMALL` is small enough to try every person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from datasets.definition import Cuboid
from datasets.privacy.reach.family import Family
from datasets.privacy.reach.planning import ReachPlan, plan_reach
from tests.datasets.privacy.schemas import Axes, every_cuboid, flat, of_dimensions

Cells = Mapping[str, tuple[int, int]]
"""By name of the family: the number n of its cells, and its cap c."""


@dataclass(frozen=True)
class ReachSchema:
    """What is published of reach in one dataset, and at which rho."""

    axes: Axes
    persons: Sequence[Cuboid]
    families: tuple[Family, ...]
    rho: Fraction

    def plan(self) -> ReachPlan:
        return plan_reach(self.axes, self.families, persons=self.persons, rho=self.rho)


def families(cells: Cells, *workload: Cuboid) -> list[Family]:
    return [Family(name, n, c, workload) for name, (n, c) in cells.items()]


def uncapped(**sizes: int) -> dict[str, tuple[int, int]]:
    return {name: (n, n) for name, n in sizes.items()}


ALL, BY_STATE, BY_AGE = (0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0)
CALENDAR = uncapped(week=5, day=30)


def ads(*of_the_calendar: Cuboid) -> ReachSchema:
    """Person attributes member_state 34, age_band 7, gender 4, device 6; `of_the_calendar` is W_X of week and day."""
    dimensions = uncapped(
        ad_format=8, surface=11, product_category=27, product_risk_class=13, advertiser_type=5, seller_region=6,
        commercial_communication=4, targeting_basis=14, targeting_mode=4, profiling=3, removal=4,
    )  # fmt: skip
    crosses = {"product_category x week": (135, 60), "product_risk_class x targeting_basis": (182, 40)}
    return ReachSchema(
        flat(34, 7, 4, 6),
        of_dimensions(4, 0, 1, 2),
        (
            *families(dimensions, ALL, BY_STATE, BY_AGE),
            *families(CALENDAR, *of_the_calendar),
            *families(crosses, ALL),
        ),
        Fraction(12, 1000),
    )


ADS = ads(ALL, BY_STATE)
ADS_CALENDAR_BY_THE_TOTAL = ads(ALL)

MODERATION_DIMENSIONS = {
    "category": (17, 5),
    **uncapped(
        restriction=18, ground=3, content_type=10, source=5, automated_detection=3, automated_decision=4,
        member_state=34, product_risk_class=13, detection_scheme=10, trader_verification=6, hours_to_action=7,
        complaint_outcome=7,
    ),
}  # fmt: skip
MODERATION_CROSSES = {
    "keyword": (118, 8),
    "category x member_state": (578, 20),
    "category x day": (510, 31),
    "category x week": (85, 20),
}

MODERATION = ReachSchema(  # account_type 3, actor_role 5
    flat(3, 5),
    of_dimensions(2, 0, 1, 2),
    (
        *families(MODERATION_DIMENSIONS, (0, 0), (1, 0)),
        *families({**CALENDAR, **MODERATION_CROSSES}, (0, 0)),
    ),
    Fraction(16, 1000),
)

SMALL = ReachSchema(
    flat(3, 2),
    every_cuboid(flat(3, 2)),
    (Family("x", 5, 2, tuple(every_cuboid(flat(3, 2)))),),
    Fraction(4, 100),
)


def leaves_of(schema: ReachSchema) -> tuple[int, ...]:
    return tuple(axis.size(axis.depth) for axis in schema.axes)


def normal_noise(seed: int):
    """Rounded normal noise of a seeded generator, so that a statistical test is repeatable: for tests only."""
    generator = np.random.Generator(np.random.PCG64(seed))
    return lambda scales: np.rint(generator.normal(0.0, scales)).astype(np.int64)
