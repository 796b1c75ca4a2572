"""Recommendations: recipients as published, exposure to items removed later near the published 0.15 %, the rest ours."""

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

RECOMMENDATIONS = EventShape(
    rows={
        "product_category": PRODUCTS,
        "product_risk_class": ConditionalWeights("product_category", RISKS_OF_PRODUCTS, RISK_OTHERWISE),
        "system": {
            "home": 40, "search_ranking": 28, "similar_items": 16, "bought_together": 7, "live": 3, "affiliate_pool": 4,
            "email": 2,
        },
        "surface": ConditionalWeights(
            "system",
            {
                "home": {"home_feed": 100},
                "search_ranking": {"search_results": 90, "category_page": 10},
                "similar_items": {"item_page_related": 100},
                "bought_together": {"cart_related": 70, "item_page_related": 30},
                "live": {"live": 100},
                "affiliate_pool": {"affiliate_page": 100},
            },
            {"email_push": 90, "message": 10},
        ),
        "candidate_source": ConditionalWeights(
            "option",
            {"non_profiling": {"popularity": 45, "content": 25, "new_item": 15, "editorial": 10, "sponsored": 5}},
            {"collaborative": 44, "content": 18, "popularity": 14, "sponsored": 12, "new_item": 7,
             "reengagement": 4, "editorial": 1},
        ),
        "main_parameter_group": ConditionalWeights(
            "option",
            {"non_profiling": {"search_query": 38, "popularity": 24, "price": 14, "rating": 12, "delivery": 8,
              "seller_score": 4}},
            {"browsing": 30, "past_purchases": 24, "search_query": 16, "popularity": 9, "paid": 8, "price": 5, "rating": 4,
             "seller_score": 2, "delivery": 1, "location": 1},
        ),
        "model_version": {"v3": 62, "v2": 30, "v1": 6, "random": 2},
        "position_band": {"1": 9, "2-3": 15, "4-10": 34, "11-20": 22, "21-50": 15, "over_50": 5},
        "item_removed": ConditionalWeights(
            "product_risk_class",
            {"medicinal_product": {"no": 97, "illegal": 2, "terms": 1},
             "weapon_like": {"no": 97.5, "illegal": 1.5, "terms": 1}},
            {"no": 99.85, "illegal": 0.05, "terms": 0.10},
        ),
        "seller_region": SELLERS,
    },
    units={
        "option": {"profiling_default": 93, "profiling_tuned": 4, "non_profiling": 3},
        "ab_cell": {"none": 60, "control": 8, **{f"t{i}": 32 / 9 for i in range(1, 10)}},
        "member_state": RECIPIENTS,
        "age_band": AGES,
        "device": DEVICES,
    },
    flags={"clicked": 0.043, "ordered": 0.0031},
    rows_per_unit=45.0,
    tail=1.8,
)  # fmt: skip
