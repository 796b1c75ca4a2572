"""Recommendations: what was recommended to whom, by which system and option, and what was removed later."""

from __future__ import annotations

from fractions import Fraction

from datasets.codelists import geography, marketplace
from datasets.definition import (
    Dataset,
    DaysOfMonth,
    Diagnostics,
    Dimension,
    EventMeasure,
    PrivacyUnit,
    Rate,
    Risk,
    Share,
    UnitMeasure,
    Value,
    up_to,
)

recommendations = Dataset(
    name="recommendations",
    title="Recommendations shown",
    version=1,
    grain="one recommended item shown to one recipient",
    unit=PrivacyUnit("the recipient of the service"),
    dimensions=(
        Dimension("system", "Recommender system", marketplace.SYSTEM, law="DSA Art. 27"),
        Dimension("surface", "Where it was shown", marketplace.SURFACE),
        Dimension("option", "Option in force", marketplace.OPTION, law="DSA Art. 27(3), 38"),
        Dimension("candidate_source", "Where the item came from", marketplace.CANDIDATE_SOURCE),
        Dimension(
            "main_parameter_group",
            "Main parameter that decided",
            marketplace.MAIN_PARAMETER_GROUP,
            law="DSA Art. 27(1)",
        ),
        Dimension("model_version", "Generation of the model", marketplace.MODEL_VERSION),
        Dimension("ab_cell", "Cell of a running experiment", marketplace.AB_CELL),
        Dimension("position_band", "Position in the list", marketplace.POSITION_BAND),
        Dimension("product_category", "What was recommended", marketplace.PRODUCT_CATEGORY),
        Dimension(
            "product_risk_class", "Kind of product that the law watches", marketplace.PRODUCT_RISK_CLASS
        ),
        Dimension("item_removed", "Whether the item was removed later", marketplace.REMOVED),
        Dimension("seller_region", "Where the seller is established", marketplace.SELLER_REGION),
        Dimension("member_state", "Where the recipient is", geography.MEMBER_STATE),
        Dimension("age_band", "Age of the recipient", marketplace.AGE_BAND),
        Dimension("device", "Device", marketplace.DEVICE),
        Dimension("day", "When it was shown", DaysOfMonth()),
    ),
    values=(
        Value("clicked", "Whether the recipient clicked"),
        Value("ordered", "Whether the recipient ordered the item"),
    ),
    measures=(
        EventMeasure("impressions", "Items shown", rows_per_unit=20, publish=up_to(2), share=Fraction(3, 10)),
        EventMeasure(
            "clicks", "Clicks", rows_per_unit=5, publish=up_to(2), share=Fraction(2, 10), where="clicked"
        ),
        EventMeasure(
            "orders", "Orders", rows_per_unit=2, publish=up_to(1), share=Fraction(1, 10), where="ordered"
        ),
        UnitMeasure(
            "recipients",
            "Recipients, each weighing one, spread over what was recommended to them",
            publish=up_to(3),
            share=Fraction(4, 10),
        ),
    ),
    derived=(
        Rate("click_rate", "Clicks for each item shown", "clicks", "impressions"),
        Share(
            "removed_exposure_share",
            "Share of items shown that were removed later",
            of="impressions",
            level="item_removed",
            codes=("illegal", "terms"),
        ),
    ),
    rho_per_month=Fraction(1, 25),
    diagnostics=Diagnostics(rho=Fraction(2, 1000)),
    risks=(
        Risk(
            "Illegal items spread by being recommended",
            "Art. 34(1)(a)",
            "Recommender systems tested and adapted",
            "Art. 35(1)(d)",
        ),
        Risk(
            "Choices steered by profiling",
            "Art. 34(1)(b)",
            "An option that is not based on profiling, and its use",
            "Art. 35(1)(a)",
        ),
    ),
    gaps=(
        "An item is recommended by many parameters; it counts under the one with the largest weight.",
        "Removals are recorded as they stood when the month was built; later ones come with a correction.",
    ),
    law=("Regulation (EU) 2022/2065, Art. 27, 38 and 40", "Delegated Regulation (EU) 2025/2050, recital 13"),
)
