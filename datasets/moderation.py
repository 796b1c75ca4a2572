"""Moderation: what the platform restricted, why, how it was detected, and the outcome of complaints."""

from __future__ import annotations

from fractions import Fraction

from datasets.codelists import geography, marketplace, statement
from datasets.definition import (
    Band,
    Dataset,
    DaysOfMonth,
    Diagnostics,
    Dimension,
    EventMeasure,
    Level,
    Median,
    PrivacyUnit,
    Risk,
    Share,
    UnitMeasure,
    up_to,
)

moderation = Dataset(
    name="moderation",
    title="Moderation actions",
    version=1,
    grain="one statement of reasons",
    unit=PrivacyUnit("the account restricted"),
    dimensions=(
        Dimension(
            "category",
            "What the content or account was found to breach",
            statement.CATEGORY,
            law="DSA Art. 17(3)(d), (e)",
            finer=(Level("keyword", statement.KEYWORD),),
        ),
        Dimension("restriction", "The restriction imposed", statement.RESTRICTION, law="DSA Art. 17(1)"),
        Dimension("ground", "Illegal, or against the terms", statement.GROUND, law="DSA Art. 17(3)(d), (e)"),
        Dimension("content_type", "What was restricted", statement.CONTENT_TYPE, law="DSA Art. 24(5)"),
        Dimension("source", "What made the platform look", statement.SOURCE, law="DSA Art. 17(3)(b)"),
        Dimension(
            "automated_detection",
            "Detected by automated means",
            statement.AUTOMATED_DETECTION,
            law="DSA Art. 17(3)(c)",
        ),
        Dimension(
            "automated_decision",
            "Decided by automated means",
            statement.AUTOMATED_DECISION,
            law="DSA Art. 17(3)(c)",
        ),
        Dimension(
            "account_type", "Business or private account", statement.ACCOUNT_TYPE, law="DSA Art. 24(5)"
        ),
        Dimension(
            "member_state", "Where the restriction applies", geography.MEMBER_STATE, law="DSA Art. 17(3)(a)"
        ),
        Dimension(
            "product_risk_class", "Kind of product that the law watches", marketplace.PRODUCT_RISK_CLASS
        ),
        Dimension("detection_scheme", "The scheme that was detected", marketplace.DETECTION_SCHEME),
        Dimension("actor_role", "Who was restricted", marketplace.ACTOR_ROLE),
        Dimension(
            "trader_verification",
            "How far the trader was verified",
            marketplace.TRADER_VERIFICATION,
            law="DSA Art. 30",
        ),
        Dimension("hours_to_action", "Hours from notice or detection to action", marketplace.HOURS_TO_ACTION),
        Dimension(
            "complaint_outcome",
            "What became of a complaint",
            marketplace.COMPLAINT_OUTCOME,
            law="DSA Art. 20",
        ),
        Dimension("day", "When the statement of reasons was recorded", DaysOfMonth()),
    ),
    measures=(
        EventMeasure(
            "actions",
            "Restrictions imposed",
            rows_per_unit=20,
            publish=up_to(2)
            .finer("keyword", 2)
            .with_cuboid("category", "member_state", "day")
            .with_cuboid("keyword", "source", "ground", "restriction")  # harmonised report, parts 4, 5 and 6
            .with_cuboid("keyword", "source", "ground", "automated_detection")
            .with_cuboid("keyword", "source", "hours_to_action"),
            share=Fraction(1, 2),
        ),
        UnitMeasure(
            "accounts",
            "Accounts restricted, each weighing one",
            publish=up_to(3).finer("keyword", 2),
            share=Fraction(1, 2),
        ),
    ),
    derived=(
        Share(
            "automated_share",
            "Share of restrictions decided by fully automated means",
            of="actions",
            level="automated_decision",
            codes=("FULLY",),
        ),
        Share(
            "reversal_share",
            "Share of decided complaints that reversed the decision, wholly or in part",
            of="actions",
            level="complaint_outcome",
            codes=("partially_reversed", "reversed"),
            among=("upheld", "partially_reversed", "reversed"),
        ),
        Median(
            "median_hours",
            "Median hours from notice or detection to action",
            of="actions",
            level="hours_to_action",
            bands=(
                Band("under_1", 0, 1),
                Band("1_to_6", 1, 6),
                Band("6_to_24", 6, 24),
                Band("24_to_72", 24, 72),
                Band("72_to_168", 72, 168),
                Band("over_168", 168),
            ),
        ),
    ),
    rho_per_month=Fraction(1, 10),
    diagnostics=Diagnostics(rho=Fraction(4, 1000)),
    risks=(
        Risk(
            "Illegal goods and services offered, and unsafe products",
            "Art. 34(1)(a)",
            "Moderation that is quick, and right",
            "Art. 35(1)(c)",
        ),
        Risk(
            "Restrictions that are wrong, or fall on some more than on others",
            "Art. 34(1)(b)",
            "Reasons given, complaints decided, terms enforced alike",
            "Art. 35(1)(b)",
        ),
    ),
    gaps=(
        "A decision that imposes several restrictions counts once, as SEVERAL; so do content types and keywords.",
        "Complaints are recorded as they stood when the month was built; later outcomes come with a correction.",
        "Category counts measure the platform's practice of labelling as well as what was found.",
    ),
    law=(
        "Regulation (EU) 2022/2065, Art. 17, 20, 24(5) and 40",
        "Delegated Regulation (EU) 2025/2050, recital 13",
    ),
)
