"""Ads: what was shown to whom, on whose behalf, by what targeting, and what was removed later."""

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
    SumMeasure,
    UnitMeasure,
    Value,
    up_to,
)

ads = Dataset(
    name="ads",
    title="Ads shown",
    version=1,
    grain="one display of one ad to one recipient",
    unit=PrivacyUnit("the recipient of the service"),
    dimensions=(
        Dimension("ad_format", "Format of the ad", marketplace.AD_FORMAT),
        Dimension("surface", "Where it was shown", marketplace.SURFACE),
        Dimension(
            "product_category", "What was advertised", marketplace.PRODUCT_CATEGORY, law="DSA Art. 39(2)(a)"
        ),
        Dimension(
            "product_risk_class", "Kind of product that the law watches", marketplace.PRODUCT_RISK_CLASS
        ),
        Dimension("advertiser_type", "On whose behalf", marketplace.ADVERTISER_TYPE, law="DSA Art. 39(2)(b)"),
        Dimension("seller_region", "Where the seller is established", marketplace.SELLER_REGION),
        Dimension(
            "commercial_communication",
            "Commercial communication by recipients",
            marketplace.COMMERCIAL_COMMUNICATION,
            law="DSA Art. 26(2)",
        ),
        Dimension(
            "targeting_basis",
            "Main parameter of targeting",
            marketplace.TARGETING_BASIS,
            law="DSA Art. 26(1)(d)",
        ),
        Dimension(
            "targeting_mode", "Included or excluded", marketplace.TARGETING_MODE, law="DSA Art. 39(2)(e)"
        ),
        Dimension("profiling", "Chosen by profiling", marketplace.PROFILING, law="DSA Art. 26(3)"),
        Dimension("removal", "Whether the ad was removed later", marketplace.REMOVED, law="DSA Art. 39(3)"),
        Dimension("member_state", "Where the recipient is", geography.MEMBER_STATE, law="DSA Art. 39(2)(g)"),
        Dimension("age_band", "Age of the recipient", marketplace.AGE_BAND),
        Dimension("device", "Device", marketplace.DEVICE),
        Dimension("day", "When it was shown", DaysOfMonth()),
    ),
    values=(
        Value("clicked", "Whether the recipient clicked"),
        Value("spend_cents", "What the advertiser paid for the display, in euro cents", kind="integer"),
    ),
    measures=(
        EventMeasure("impressions", "Displays", rows_per_unit=20, publish=up_to(2), share=Fraction(3, 10)),
        EventMeasure(
            "clicks", "Clicks", rows_per_unit=5, publish=up_to(2), share=Fraction(2, 10), where="clicked"
        ),
        SumMeasure(
            "spend",
            "Paid for displays, in euro cents, each display clamped to 0 to 100 cents",
            value="spend_cents",
            lower=0,
            upper=100,
            counted_by="impressions",
            publish=up_to(1),
            share=Fraction(1, 10),
        ),
        UnitMeasure(
            "recipients", "Recipients reached, each weighing one", publish=up_to(3), share=Fraction(4, 10)
        ),
    ),
    derived=(
        Rate("click_rate", "Clicks for each display", "clicks", "impressions"),
        Rate("cost_per_click", "Paid for each click, in euro cents", "spend", "clicks"),
        Share(
            "removed_share",
            "Share of displays of ads that were removed later",
            of="impressions",
            level="removal",
            codes=("illegal", "terms"),
        ),
    ),
    rho_per_month=Fraction(1, 10),
    diagnostics=Diagnostics(rho=Fraction(4, 1000)),
    risks=(
        Risk(
            "Consumers misled by ads, or chosen by what the law protects",
            "Art. 34(1)(b)",
            "Limits on targeting and on who is shown what",
            "Art. 35(1)(e)",
        ),
        Risk(
            "Ads for medical products and food supplements, and ads that reach minors",
            "Art. 34(1)(d)",
            "Measures for the protection of minors",
            "Art. 35(1)(j)",
        ),
    ),
    gaps=(
        "An ad aimed by several parameters counts under its main one.",
        "Removals are recorded as they stood when the month was built; later ones come with a correction.",
    ),
    law=(
        "Regulation (EU) 2022/2065, Art. 26, 28(2), 39 and 40",
        "Delegated Regulation (EU) 2025/2050, recital 13",
    ),
)
