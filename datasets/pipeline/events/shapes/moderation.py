"""Moderation as AliExpress reported it for the first half of 2026 (docs/law.md#figures-of-a-transparency-report).

The categories have the published numbers of measures under the terms; so have GOODS_SERVICES_NOT_PERMITTED and
INSUFFICIENT_INFORMATION_ON_TRADERS. The shares of automated means and of complaints are near the published ones. All other
numbers are ours and only plausible.
"""

from __future__ import annotations

from datasets.pipeline.events.shape import ConditionalWeights, EventShape
from datasets.pipeline.events.shapes.recipients import RECIPIENTS

_KEYWORDS = {
    "GOODS_SERVICES_NOT_PERMITTED": 129.7,
    "OTHER_VIOLATION_TC.UNSPECIFIED": 0.30, "ADULT_SEXUAL_MATERIAL": 0.05, "AGE_SPECIFIC_RESTRICTIONS": 0.03,
    "TRADEMARK_INFRINGEMENT": 1.60, "COPYRIGHT_INFRINGEMENT": 0.32, "DESIGN_INFRINGEMENT": 0.07, "PATENT_INFRINGEMENT": 0.02,
    "PROHIBITED_PRODUCTS": 0.95, "UNSAFE_PRODUCTS": 0.37,
    "MISLEADING_INFO_GOODS_SERVICES": 0.45, "NONCOMPLIANCE_PRICING": 0.066, "INSUFFICIENT_INFORMATION_ON_TRADERS": 0.0043,
    "RISK_PUBLIC_HEALTH": 0.15, "TERRORIST_CONTENT": 0.005, "RISK_FOR_PUBLIC_SECURITY.OTHER": 0.055,
    "INAUTHENTIC_LISTINGS": 0.04, "INAUTHENTIC_USER_REVIEWS": 0.02, "PHISHING": 0.01,
    "IMPERSONATION_ACCOUNT_HIJACKING": 0.006,
    "UNLAWFUL_SALE_ANIMALS": 0.01, "HATE_SPEECH": 0.008, "CHILD_SEXUAL_ABUSE_MATERIAL": 0.001,
    "ILLEGAL_OR_HARMFUL_SPEECH.SEVERAL": 0.002, "NOT_SPECIFIED_NOTICE.UNSPECIFIED": 0.01, "UNKNOWN.UNSPECIFIED": 0.02,
}  # fmt: skip
"""Millions of measures by keyword."""

_BY_NOTICE = {"VOLUNTARY": 90, "ARTICLE_16": 9.7, "TRUSTED_FLAGGER": 0.05, "TYPE_OTHER_NOTIFICATION": 0.25}

MODERATION = EventShape(
    rows={
        "keyword": _KEYWORDS,
        "source": ConditionalWeights(
            "category",
            {
                "INTELLECTUAL_PROPERTY_INFRINGEMENTS": _BY_NOTICE,
                "NOT_SPECIFIED_NOTICE": {"ARTICLE_16": 100},
                "OTHER_VIOLATION_TC": {"VOLUNTARY": 99.97, "ARTICLE_16": 0.03},
            },
            {"VOLUNTARY": 97, "ARTICLE_16": 2.6, "TRUSTED_FLAGGER": 0.1, "TYPE_OTHER_NOTIFICATION": 0.3},
        ),
        "ground": ConditionalWeights(
            "source",
            {"ARTICLE_16": {"ILLEGAL_CONTENT": 80, "INCOMPATIBLE_CONTENT": 20}, "TRUSTED_FLAGGER": {"ILLEGAL_CONTENT": 1}},
            {"ILLEGAL_CONTENT": 1.8, "INCOMPATIBLE_CONTENT": 98.2},
        ),
        "automated_detection": ConditionalWeights("source", {"VOLUNTARY": {"YES": 97.3, "NO": 2.7}}, {"NO": 97, "YES": 3}),
        "automated_decision": ConditionalWeights(
            "automated_detection",
            {"YES": {"FULLY": 97.6, "PARTIALLY": 1.4, "NOT_AUTOMATED": 1}},
            {"FULLY": 5, "PARTIALLY": 15, "NOT_AUTOMATED": 80},
        ),
        "restriction": ConditionalWeights(
            "category",
            {
                "SCAMS_AND_FRAUD": {
                    "ACCOUNT_SUSPENDED": 30, "ACCOUNT_TERMINATED": 20, "VISIBILITY_CONTENT_REMOVED": 40, "SEVERAL": 10,
                },
            },
            {
                "VISIBILITY_CONTENT_REMOVED": 93, "VISIBILITY_CONTENT_DISABLED": 4, "VISIBILITY_CONTENT_DEMOTED": 2,
                "VISIBILITY_OTHER": 0.5, "ACCOUNT_SUSPENDED": 0.06, "ACCOUNT_TERMINATED": 0.04, "MONETARY_SUSPENSION": 0.1,
                "PROVISION_PARTIAL_SUSPENSION": 0.1, "SEVERAL": 0.2,
            },
        ),
        "content_type": ConditionalWeights(
            "category",
            {"ILLEGAL_OR_HARMFUL_SPEECH": {"TEXT": 80, "IMAGE": 15, "VIDEO": 5}},
            {"PRODUCT": 96, "IMAGE": 1.5, "TEXT": 1.2, "VIDEO": 0.4, "OTHER": 0.5, "SEVERAL": 0.4},
        ),
        "member_state": {"EU": 62, "EEA": 12, "several": 6, **{s: w / 8 for s, w in RECIPIENTS.items()}},
        "product_risk_class": ConditionalWeights(
            "category",
            {
                "UNSAFE_AND_PROHIBITED_PRODUCTS": {
                    "medicinal_product": 18, "food_supplement": 14, "weapon_like": 22, "toy_childcare": 12, "cosmetics": 9,
                    "electrical_ce": 11, "protected_species": 3, "medical_device": 6, "other_regulated": 5,
                },
                "RISK_FOR_PUBLIC_SECURITY": {"medicinal_product": 30, "food_supplement": 30, "weapon_like": 30, "none": 10},
            },
            {"none": 88, "electrical_ce": 4, "cosmetics": 2, "toy_childcare": 2, "food_supplement": 1.2, "adult_content": 0.8,
             "medicinal_product": 0.7, "medical_device": 0.6, "other_regulated": 0.7},
        ),
        "detection_scheme": ConditionalWeights(
            "category",
            {"SCAMS_AND_FRAUD": {"off_site_contact": 25, "review_fraud": 25, "listing_swap": 20, "none": 30}},
            {"none": 96, "keyword_evasion": 1.6, "image_evasion": 1.2, "hidden_link": 0.7, "listing_swap": 0.3,
             "affiliate_misuse": 0.1, "other": 0.1},
        ),
        "hours_to_action": ConditionalWeights(
            "source",
            {
                "ARTICLE_16": {"under_1": 5, "1_to_6": 18, "6_to_24": 38, "24_to_72": 26, "72_to_168": 10, "over_168": 3},
                "TRUSTED_FLAGGER": {"under_1": 10, "1_to_6": 30, "6_to_24": 40, "24_to_72": 20},
            },
            {"under_1": 84, "1_to_6": 9, "6_to_24": 4, "24_to_72": 2, "72_to_168": 0.7, "over_168": 0.3},
        ),
        "complaint_outcome": {"none": 99.867, "reversed": 0.047, "upheld": 0.08, "partially_reversed": 0.002,
            "pending": 0.004},
    },
    units={
        "account_type": {"BUSINESS": 94, "PRIVATE": 5, "UNKNOWN": 1},
        "actor_role": {"trader": 93, "affiliate": 2, "influencer": 0.5, "buyer": 4, "unknown": 0.5},
        "trader_verification": {"verified": 82, "pending": 6, "failed": 3, "expired": 2, "not_a_trader": 5, "unknown": 2},
    },
    organisations=0.7,
    rows_per_unit=25.0,
    tail=2.0,
)  # fmt: skip
