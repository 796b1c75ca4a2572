"""Ten topics of the commitments and of their monitoring, with key risk indicators and gaps.

The division into ten, their order, titles and promises are ours: docs/law.md#commitments-of-the-marketplace.
"""

from __future__ import annotations

from datasets.reports.commitment import Commitment, Fact, Indicator

HIDDEN = "detection_scheme=hidden_link,listing_swap"
AFFILIATES = "actor_role=affiliate,influencer"
WATCHED = "food_supplement,medicinal_product,medical_device,sexual_health,adult_content"
NOTICES = "source=ARTICLE_16,TRUSTED_FLAGGER"
COMPLAINTS = "complaint_outcome=upheld,partially_reversed,reversed,omitted,pending"
CLOSED_ACCOUNT = "share=restriction:ACCOUNT_SUSPENDED,ACCOUNT_TERMINATED"

COMMITMENTS: tuple[Commitment, ...] = (
    Commitment(
        1, "hidden_links", "Hidden links",
        "Listings that hide what is sold behind a link, or change after review, are found, also by specialised third "
        "parties, and punished.",
        "DSA Art. 34(1)(a), 35(1)(c)",
        (
            Indicator("hidden_link_actions", "Restrictions of hidden links and swapped listings", "DSA Art. 17, 35(1)(c)",
                      "moderation", f"measure=actions&{HIDDEN}", by="category"),
            Indicator("hidden_link_accounts", "Accounts restricted for them", "DSA Art. 17, 23",
                      "moderation", f"measure=accounts&{HIDDEN}"),
            Indicator("hidden_link_share", "Their share of all restrictions", "DSA Art. 34(1)(a)",
                      "moderation", "measure=actions&share=detection_scheme:hidden_link,listing_swap", "share",
                      "actions_share"),
            Indicator("hidden_link_account_share", "Share of them that suspended or closed an account",
                      "DSA Art. 23", "moderation", f"measure=actions&{HIDDEN}&{CLOSED_ACCOUNT}", "share", "actions_share"),
            Indicator("hidden_link_hours", "Median hours from detection to action", "DSA Art. 35(1)(c)",
                      "moderation", f"measure=median_hours&{HIDDEN}", "hours"),
        ),
        (
            "Which cases a third party found first: no dataset records the detector.",
            "How often a listing was viewed before it was removed: moderation does not hold views.",
            "Whether the account had been restricted before: moderation does not hold repeat offences.",
        ),
    ),
    Commitment(
        2, "affiliates", "Affiliates and influencers",
        "Affiliates and influencers are verified and monitored, and those who break the rules are sanctioned.",
        "DSA Art. 26(2), 35(1)(c)",
        (
            Indicator("affiliate_actions", "Restrictions of affiliates and influencers", "DSA Art. 17",
                      "moderation", f"measure=actions&{AFFILIATES}", by="actor_role"),
            Indicator("affiliate_accounts", "Affiliates and influencers restricted", "DSA Art. 17, 23",
                      "moderation", f"measure=accounts&{AFFILIATES}"),
            Indicator("affiliate_account_share", "Share of these restrictions that suspended or closed an account",
                      "DSA Art. 23", "moderation", f"measure=actions&{AFFILIATES}&{CLOSED_ACCOUNT}", "share",
                      "actions_share"),
            Indicator("undeclared_share", "Share of commercial communications shown that were not declared",
                      "DSA Art. 26(2)", "ads",
                      "measure=impressions&commercial_communication=declared,detected"
                      "&share=commercial_communication:detected", "share", "impressions_share"),
            Indicator("affiliate_pool_removed", "Share of items shown from the affiliate pool that were removed later",
                      "DSA Art. 34(1)(a)", "recommendations", "measure=removed_exposure_share&system=affiliate_pool",
                      "share"),
        ),
        (
            "The share of affiliates that are verified: the datasets hold those who were restricted, not all there are.",
            "Warnings and points: moderation holds restrictions in the sense of Art. 17 only.",
        ),
    ),
    Commitment(
        3, "watched_products", "Food supplements, medical products, adult content, minors",
        "Illegal food supplements and medical products, and adult content that minors may see, are kept from the service.",
        "DSA Art. 28, 34(1)(a) and (d), 35(1)(j)",
        (
            Indicator("watched_actions", "Restrictions of the product classes that are watched", "DSA Art. 17",
                      "moderation", f"measure=actions&product_risk_class={WATCHED}", by="product_risk_class"),
            Indicator("watched_notices_share", "Share of these restrictions that followed a notice", "DSA Art. 16",
                      "moderation",
                      f"measure=actions&product_risk_class={WATCHED}&share=source:ARTICLE_16,TRUSTED_FLAGGER", "share",
                      "actions_share"),
            Indicator("watched_recommended", "Share of items recommended that are of these classes", "DSA Art. 34(1)(a)",
                      "recommendations", f"measure=impressions&share=product_risk_class:{WATCHED}", "share",
                      "impressions_share", by="member_state"),
            Indicator("watched_advertised", "Share of ads shown that are for these classes", "DSA Art. 34(1)(a), 39",
                      "ads", f"measure=impressions&share=product_risk_class:{WATCHED}", "share", "impressions_share",
                      by="member_state"),
            Indicator("minors_actions", "Restrictions for the protection of minors", "DSA Art. 28",
                      "moderation", "measure=actions&category=PROTECTION_OF_MINORS"),
        ),
        ("What minors saw: the service is not offered to them, so no age band stands for them.",),
    ),
    Commitment(
        4, "notices", "Notice and action",
        "Anybody, with an account or without, can notify illegal content, and notices are decided in time.",
        "DSA Art. 16, 22",
        (
            Indicator("notice_actions", "Restrictions that followed a notice", "DSA Art. 16",
                      "moderation", f"measure=actions&{NOTICES}", by="category"),
            Indicator("notice_flagger_share", "Share of them that followed a trusted flagger's", "DSA Art. 22",
                      "moderation", f"measure=actions&{NOTICES}&share=source:TRUSTED_FLAGGER", "share", "actions_share"),
            Indicator("notice_law_share", "Share of them decided on the basis of the law", "DSA Art. 15(1)(b)",
                      "moderation", f"measure=actions&{NOTICES}&share=ground:ILLEGAL_CONTENT", "share", "actions_share"),
            Indicator("notice_hours", "Median hours from notice to action", "DSA Art. 15(1)(b), 16(6)",
                      "moderation", f"measure=median_hours&{NOTICES}", "hours"),
        ),
        (
            "Notices that led to no restriction, and so the rate of action: moderation holds decisions, not notices.",
            "Notices by guests, and whether receipt was confirmed: moderation does not hold the notifier.",
        ),
    ),
    Commitment(
        5, "complaints", "Internal complaints",
        "Complaints against decisions are handled in time, with care, and not by automated means alone.",
        "DSA Art. 20",
        (
            Indicator("complaints", "Restrictions that were complained about", "DSA Art. 20(1)",
                      "moderation", f"measure=actions&{COMPLAINTS}", by="complaint_outcome"),
            Indicator("complaint_share", "Share of all restrictions that were complained about", "DSA Art. 20(1)",
                      "moderation",
                      "measure=actions&share=complaint_outcome:upheld,partially_reversed,reversed,omitted,pending", "share",
                      "actions_share"),
            Indicator("reversal_share", "Share of decided complaints that reversed the decision, wholly or in part",
                      "DSA Art. 20(4)", "moderation", "measure=reversal_share", "share"),
            Indicator("complaint_automated_share", "Share of restrictions complained about that were decided "
                      "by fully automated "
                      "means", "DSA Art. 20(6)", "moderation",
                      f"measure=actions&{COMPLAINTS}&share=automated_decision:FULLY", "share", "actions_share"),
        ),
        (
            "Hours from complaint to decision: moderation holds the hours to the action itself.",
            "Who decided the complaint: moderation holds how the first decision was taken, not the second.",
            "Complaints of notifiers that no action was taken: they concern no restriction.",
        ),
    ),
    Commitment(
        6, "ads", "Transparency of advertising",
        "Whoever sees an ad can tell that it is one and why they see it, and a complete repository can be searched.",
        "DSA Art. 26, 39",
        (
            Indicator("ad_impressions", "Displays of ads", "DSA Art. 39(2)", "ads", "measure=impressions", by="ad_format"),
            Indicator("ad_recipients", "Recipients reached, summed over months", "DSA Art. 39(2)(g)", "ads",
                      "measure=recipients", by="member_state",
                      note="A recipient who is reached in several months counts in each."),
            Indicator("ad_profiling_share", "Share of displays chosen by profiling", "DSA Art. 26(3)", "ads",
                      "measure=impressions&share=profiling:yes", "share", "impressions_share"),
            Indicator("ad_exclusion_share", "Share of displays whose targeting excluded recipients", "DSA Art. 39(2)(e)",
                      "ads", "measure=impressions&share=targeting_mode:exclude", "share", "impressions_share"),
            Indicator("ad_removed_share", "Share of displays of ads that were removed later", "DSA Art. 39(3)", "ads",
                      "measure=removed_share", "share", by="ad_format"),
        ),
        ("Whether every ad shown is in the repository: no dataset holds the repository.",),
    ),
    Commitment(
        7, "recommenders", "Recommender systems",
        "The main parameters of recommender systems are explained, and there is an option that is not based on profiling.",
        "DSA Art. 27, 38",
        (
            Indicator("non_profiling_share", "Share of recipients on the option that is not based on profiling",
                      "DSA Art. 27(3), 38", "recommendations", "measure=recipients&share=option:non_profiling", "share",
                      "recipients_share", by="member_state"),
            Indicator("removed_exposure_share", "Share of items shown that were removed later", "DSA Art. 34(1)(a)",
                      "recommendations", "measure=removed_exposure_share", "share", by="system"),
            Indicator("removed_exposure_gap", "That share under profiling by default, less that without profiling",
                      "DSA Art. 38", "recommendations",
                      "measure=removed_exposure_share&compare=option:profiling_default,non_profiling", "difference of shares",
                      "removed_exposure_share_difference"),
            Indicator("sponsored_share", "Share of items shown that were sponsored", "DSA Art. 27(2)", "recommendations",
                      "measure=impressions&share=candidate_source:sponsored", "share", "impressions_share"),
            Indicator("paid_parameter_share", "Share of items shown for which payment was the main parameter",
                      "DSA Art. 27(2)", "recommendations", "measure=impressions&share=main_parameter_group:paid", "share",
                      "impressions_share"),
        ),
        ("How many recipients changed the option: recommendations hold the option in force, not its changes.",),
    ),
    Commitment(
        8, "traders", "Traceability of traders",
        "Traders are identified and verified before they sell, and what they must show is checked.",
        "DSA Art. 30, 31",
        (
            Indicator("trader_information_actions", "Restrictions for insufficient information on traders",
                      "DSA Art. 30(7), 31", "moderation", "measure=actions&keyword=INSUFFICIENT_INFORMATION_ON_TRADERS"),
            Indicator("unverified_accounts", "Accounts restricted whose verification had failed or expired", "DSA Art. 30(2)",
                      "moderation", "measure=accounts&trader_verification=failed,expired"),
            Indicator("unverified_share", "Share of restrictions against accounts that were not verified", "DSA Art. 30(1)",
                      "moderation",
                      "measure=actions&trader_verification=verified,pending,failed,expired"
                      "&share=trader_verification:pending,failed,expired", "share", "actions_share"),
            Indicator("unverified_closed_share", "Share of restrictions of failed or expired traders that "
                      "suspended or closed an "
                      "account", "DSA Art. 30(3)", "moderation",
                      f"measure=actions&trader_verification=failed,expired&{CLOSED_ACCOUNT}", "share", "actions_share"),
        ),
        (
            "How many traders there are by state of verification: the datasets hold those who were restricted.",
            "Random checks of products and services (Art. 31(3)): no dataset holds them.",
        ),
    ),
    Commitment(
        9, "researchers", "Data for researchers",
        "Researchers are given access to data that are public, without undue delay.",
        "DSA Art. 40(12)",
        (
            Fact("datasets_released", "Datasets with a release in the period", "DSA Art. 40", "datasets_released"),
            Fact("months_released", "Monthly releases in force", "DSA Art. 40", "months_released"),
            Fact("days_to_publication", "Days from the end of a month to its release, at most", "DSA Art. 40(12)",
                 "days_to_publication", "days"),
        ),
        (
            "Applications, decisions on them and days to access: they are in the registry, and its public part at "
            "/v1/projects.",
            "Uptime, errors and refusals by reason: they are the API's own metrics (/metrics), not a dataset.",
        ),
    ),
    Commitment(
        10, "monitoring", "Monitoring framework",
        "A Monitoring Trustee can follow every commitment with figures that can be checked.",
        "DSA Art. 71",
        (
            Fact("revisions", "Releases in force that correct an earlier one", "DSA Art. 42(4)", "revisions",
                 note="Each revision says why; GET /v1/errata lists what was withdrawn."),
            Indicator("automated_share", "Share of restrictions decided by fully automated means", "DSA Art. 15(1)(e)",
                      "moderation", "measure=automated_share", "share", by="category"),
        ),
        (
            "Deviations from the commitments that the platform itself has logged: no dataset holds them.",
            "Which configuration was in force when: each release's manifest names the code that made it, not the platform's.",
        ),
    ),
)  # fmt: skip
"""After the Commission's announcement of 18 June 2025 (Art. 71), which names six areas and a monitoring framework."""
