"""Declarations as they were when the standard errors of docs/privacy/strata.md were computed: they do not follow the datasets.

Sizes are those of the code lists of version 1 of each dataset, with weeks added above the days. Each has one measure, which is
published up to two-way, with `member_state` and category (or product) × `member_state` important.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from datasets.definition import (
    Code,
    CodeList,
    Cuboid,
    Dataset,
    DaysOfMonth,
    Diagnostics,
    Dimension,
    EventMeasure,
    Level,
    PrivacyUnit,
    WeeksOfMonth,
    Workload,
    up_to,
)
from datasets.period import Month
from datasets.privacy.axis import Axis, axes_of

JUNE = Month(2026, 6)
KEYWORDS = (5, 8, 9, 10, 7, 6, 9, 6, 8, 7, 9, 6, 5, 8, 9, 3, 3)
"""Keywords of each category."""

MODERATION = {
    "category": 17, "restriction": 18, "ground": 3, "content_type": 10, "source": 5, "automated_detection": 3,
    "automated_decision": 4, "account_type": 3, "member_state": 34, "product_risk_class": 13, "detection_scheme": 10,
    "actor_role": 5, "trader_verification": 6, "hours_to_action": 7, "complaint_outcome": 7,
}  # fmt: skip
ADS = {
    "ad_format": 8, "surface": 11, "product_category": 27, "product_risk_class": 13, "advertiser_type": 5, "seller_region": 6,
    "commercial_communication": 4, "targeting_basis": 14, "targeting_mode": 4, "profiling": 3, "removal": 4,
    "member_state": 34, "age_band": 7, "device": 6,
}  # fmt: skip
RECOMMENDATIONS = {
    "system": 8, "surface": 11, "option": 4, "candidate_source": 8, "main_parameter_group": 11, "model_version": 5,
    "ab_cell": 12, "position_band": 7, "product_category": 27, "product_risk_class": 13, "item_removed": 4,
    "seller_region": 6, "member_state": 34, "age_band": 7, "device": 6,
}  # fmt: skip


@dataclass(frozen=True)
class FrozenMeasure:
    """What a plan needs of one measure: axes, workload, and which cuboids are important."""

    dataset: Dataset

    @property
    def publish(self) -> Workload:
        return self.dataset.measures[0].publish

    @property
    def axes(self) -> tuple[Axis, ...]:
        return axes_of(self.dataset, JUNE)

    @property
    def workload(self) -> tuple[Cuboid, ...]:
        return self.publish.cuboids(self.dataset.dimensions)

    @property
    def important(self) -> frozenset[Cuboid]:
        return self.publish.important_cuboids(self.dataset.dimensions)

    def cuboid(self, *levels: str) -> Cuboid:
        """The published cuboid of these levels."""
        names = {self.dataset.cuboid_name(cuboid): cuboid for cuboid in self.workload}
        return names[",".join(levels) or "total"]


def numbered(name: str, size: int, within: CodeList | None = None, fans: tuple[int, ...] = ()) -> CodeList:
    parents = [code.code for code, fan in zip(within or (), fans, strict=True) for _ in range(fan)]
    codes = [f"c{n}" for n in range(size - 1)] + ["unknown"]
    entries = (Code(code, code, *parents[n : n + 1]) for n, code in enumerate(codes))
    return CodeList(name, name, "for tests", tuple(entries), within=within)


@cache
def frozen(name: str, *, weeks: bool = True, keywords: bool = True, important: bool = True) -> FrozenMeasure:
    """One of the three, without its weeks, its keywords or its important cuboids if so asked."""
    sizes = {"moderation": MODERATION, "ads": ADS, "recommendations": RECOMMENDATIONS}[name]
    lists = {dimension: numbered(dimension, size) for dimension, size in sizes.items()}
    dimensions = [Dimension(dimension, dimension, codes) for dimension, codes in lists.items()]
    publish, what = up_to(2), "category" if "category" in sizes else "product_category"
    if keywords and "category" in lists:
        keyword = numbered("keyword", sum(KEYWORDS), lists["category"], KEYWORDS)
        dimensions[0] = Dimension(
            "category", "category", lists["category"], finer=(Level("keyword", keyword),)
        )
        publish = publish.finer("keyword", 2)
    if important:
        publish = publish.important("member_state").important(what, "member_state")
    week = WeeksOfMonth()
    day = Dimension("day", "When", DaysOfMonth(within=week), coarser=(Level("week", week),))
    dimensions.append(day if weeks else Dimension("day", "When", DaysOfMonth()))
    measure = EventMeasure("events", "Events", rows_per_unit=1, publish=publish, share=Fraction(1))
    return FrozenMeasure(
        Dataset(
            name=name, title=name, version=1, grain="one event", unit=PrivacyUnit("the person"), dimensions=tuple(dimensions),
            measures=(measure,), rho_per_month=Fraction(1, 40), diagnostics=Diagnostics(Fraction(1, 1000)),
        )
    )  # fmt: skip
