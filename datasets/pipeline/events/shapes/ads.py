"""Ads: recipients as published, the rest ours and only plausible (no platform publishes it; that is the point)."""

from __future__ import annotations

from datasets.pipeline.events.shape import ConditionalWeights, EventShape
from datasets.pipeline.events.shapes.recipients import (
    AGES,
    DEVICES,
    PRODUCTS,
    RECIPIENTS,
    RISK_OTHERWISE,
    RISKS_OF_PRODUCTS,
    SELLERS,
)

ADS = EventShape(
    rows={
        "product_category": PRODUCTS,
        "product_risk_class": ConditionalWeights("product_category", RISKS_OF_PRODUCTS, RISK_OTHERWISE),
        "surface": {
            "home_feed": 30, "search_results": 34, "category_page": 8, "item_page_related": 15, "cart_related": 4, "live": 2,
            "affiliate_page": 3, "message": 1, "email_push": 2, "other": 1,
        },
        "ad_format": ConditionalWeights(
            "surface",
            {
                "search_results": {"search_ad": 80, "sponsored_listing": 20},
                "live": {"live_promo": 70, "video": 30},
                "email_push": {"push": 80, "other": 20},
            },
            {"sponsored_listing": 72, "banner": 15, "video": 12, "other": 1},
        ),
        "advertiser_type": ConditionalWeights(
            "surface",
            {"affiliate_page": {"affiliate": 85, "business": 15}},
            {"business": 88, "individual_trader": 6, "affiliate": 2, "platform_own": 4},
        ),
        "seller_region": SELLERS,
        "commercial_communication": ConditionalWeights(
            "surface",
            {"affiliate_page": {"declared": 60, "detected": 12, "none": 28},
             "live": {"declared": 40, "detected": 10, "none": 50}},
            {"none": 98, "declared": 1.6, "detected": 0.4},
        ),
        "profiling": {"yes": 78, "no": 22},
        "targeting_basis": ConditionalWeights(
            "profiling",
            {
                "yes": {
                    "interest": 34, "purchase_history": 24, "retargeting": 18, "lookalike": 10, "new_customer": 6, "age": 3,
                    "gender": 3, "location": 2,
                },
            },
            {"contextual": 44, "keyword": 38, "location": 8, "language": 4, "device": 4, "none": 2},
        ),
        "targeting_mode": ConditionalWeights("targeting_basis", {"none": {"none": 1}}, {"include": 94, "exclude": 6}),
        "removal": ConditionalWeights(
            "product_risk_class",
            {"medicinal_product": {"no": 88, "illegal": 8, "terms": 4},
             "food_supplement": {"no": 94, "illegal": 3, "terms": 3},
             "weapon_like": {"no": 90, "illegal": 6, "terms": 4}},
            {"no": 99.3, "illegal": 0.15, "terms": 0.55},
        ),
    },
    units={"member_state": RECIPIENTS, "age_band": AGES, "device": DEVICES},
    flags={"clicked": 0.021},
    amounts={"spend_cents": (4.0, 0.9)},
    rows_per_unit=30.0,
    tail=1.8,
)  # fmt: skip
