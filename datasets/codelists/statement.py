"""Code lists of statements of reasons, as the DSA Transparency Database has them since 1 July 2025.

The codes are the law's and the database's own, less their constant prefix (STATEMENT_CATEGORY_, KEYWORD_, DECISION_,
SOURCE_, ...). The two trees of category and keyword are those of Annex II of Implementing Regulation (EU) 2024/2835.
"""

from __future__ import annotations

from collections.abc import Iterator

from datasets.codelists import flat_list
from datasets.definition import Code, CodeList

DATABASE = "DSA Transparency Database, statement of reasons schema in force since 1 July 2025"
UNKNOWN = "UNKNOWN"

CATEGORY = flat_list(
    "category",
    "What the content or the account was found to breach",
    f"Regulation (EU) 2022/2065, Art. 17(3)(d) and (e); {DATABASE}, field category",
    {
        "ANIMAL_WELFARE": "Animal welfare",
        "CONSUMER_INFORMATION": "Consumer information infringements",
        "CYBER_VIOLENCE": "Cyber violence",
        "CYBER_VIOLENCE_AGAINST_WOMEN": "Cyber violence against women",
        "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS": "Data protection and privacy violations",
        "ILLEGAL_OR_HARMFUL_SPEECH": "Illegal or harmful speech",
        "INTELLECTUAL_PROPERTY_INFRINGEMENTS": "Intellectual property infringements",
        "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS": "Negative effects on civic discourse or elections",
        "PROTECTION_OF_MINORS": "Protection of minors",
        "RISK_FOR_PUBLIC_SECURITY": "Risk for public security",
        "SCAMS_AND_FRAUD": "Scams and fraud",
        "SELF_HARM": "Self-harm",
        "UNSAFE_AND_PROHIBITED_PRODUCTS": "Unsafe and prohibited products",
        "VIOLENCE": "Violence",
        "OTHER_VIOLATION_TC": "Other violation of the provider's terms and conditions",
        "NOT_SPECIFIED_NOTICE": "Type of alleged illegal content not specified by the notifier",
    },
    UNKNOWN,
)

KEYWORDS: dict[str, dict[str, str]] = {
    "ANIMAL_WELFARE": {"ANIMAL_HARM": "Animal harm", "UNLAWFUL_SALE_ANIMALS": "Unlawful sale of animals"},
    "CONSUMER_INFORMATION": {
        "HIDDEN_ADVERTISEMENT": "Hidden advertisement or commercial communication, including by influencers",
        "INSUFFICIENT_INFORMATION_ON_TRADERS": "Insufficient information on traders",
        "MISLEADING_INFO_GOODS_SERVICES": "Misleading information about the characteristics of goods and services",
        "MISLEADING_INFO_CONSUMER_RIGHTS": "Misleading information about the consumer's rights",
        "NONCOMPLIANCE_PRICING": "Non-compliance with pricing regulations",
    },
    "CYBER_VIOLENCE": {
        "CYBER_BULLYING_INTIMIDATION": "Cyber bullying and intimidation",
        "CYBER_HARASSMENT": "Cyber harassment",
        "CYBER_INCITEMENT": "Cyber incitement to hatred or violence",
        "CYBER_STALKING": "Cyber stalking",
        "NON_CONSENSUAL_IMAGE_SHARING": "Non-consensual image sharing",
        "NON_CONSENSUAL_MATERIAL_DEEPFAKE": "Non-consensual material containing deepfake or similar technology",
    },
    "CYBER_VIOLENCE_AGAINST_WOMEN": {
        "BULLYING_AGAINST_GIRLS": "Bullying against girls",
        "CYBER_HARASSMENT_AGAINST_WOMEN": "Cyber harassment against women",
        "CYBER_STALKING_AGAINST_WOMEN": "Cyber stalking against women",
        "FEMALE_GENDERED_DISINFORMATION": "Gendered disinformation against women",
        "INCITEMENT_AGAINST_WOMEN": "Incitement to violence and hatred against women",
        "NON_CONSENSUAL_IMAGE_SHARING_AGAINST_WOMEN": "Non-consensual image sharing against women",
        "NON_CONSENSUAL_MATERIAL_DEEPFAKE_AGAINST_WOMEN": "Non-consensual deepfake material against women",
    },
    "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS": {
        "BIOMETRIC_DATA_BREACH": "Biometric data breach",
        "DATA_FALSIFICATION": "Data falsification",
        "MISSING_PROCESSING_GROUND": "Missing processing ground for data",
        "RIGHT_TO_BE_FORGOTTEN": "Right to be forgotten",
    },
    "ILLEGAL_OR_HARMFUL_SPEECH": {
        "DEFAMATION": "Defamation",
        "DISCRIMINATION": "Discrimination",
        "HATE_SPEECH": "Illegal incitement to violence and hatred based on protected characteristics",
    },
    "INTELLECTUAL_PROPERTY_INFRINGEMENTS": {
        "COPYRIGHT_INFRINGEMENT": "Copyright infringements",
        "DESIGN_INFRINGEMENT": "Design infringements",
        "GEOGRAPHIC_INDICATIONS_INFRINGEMENT": "Geographical indications infringements",
        "PATENT_INFRINGEMENT": "Patent infringements",
        "TRADE_SECRET_INFRINGEMENT": "Trade secret infringements",
        "TRADEMARK_INFRINGEMENT": "Trademark infringements",
    },
    "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS": {
        "MISINFORMATION_DISINFORMATION": "Misinformation, disinformation, foreign information manipulation",
        "VIOLATION_EU_LAW": "Violation of EU law relevant to civic discourse or elections",
        "VIOLATION_NATIONAL_LAW": "Violation of national law relevant to civic discourse or elections",
    },
    "PROTECTION_OF_MINORS": {
        "AGE_SPECIFIC_RESTRICTIONS_MINORS": "Age-specific restrictions concerning minors",
        "CHILD_SEXUAL_ABUSE_MATERIAL": "Child sexual abuse material",
        "CHILD_SEXUAL_ABUSE_MATERIAL_DEEPFAKE": "Child sexual abuse material containing deepfake or similar technology",
        "GROOMING_SEXUAL_ENTICEMENT_MINORS": "Grooming or sexual enticement of minors",
        "UNSAFE_CHALLENGES": "Unsafe challenges",
    },
    "RISK_FOR_PUBLIC_SECURITY": {
        "ILLEGAL_ORGANIZATIONS": "Illegal organisations",
        "RISK_ENVIRONMENTAL_DAMAGE": "Risk for environmental damage",
        "RISK_PUBLIC_HEALTH": "Risk for public health",
        "TERRORIST_CONTENT": "Terrorist content",
    },
    "SCAMS_AND_FRAUD": {
        "IMPERSONATION_ACCOUNT_HIJACKING": "Impersonation or account hijacking",
        "INAUTHENTIC_ACCOUNTS": "Inauthentic accounts",
        "INAUTHENTIC_LISTINGS": "Inauthentic listings",
        "INAUTHENTIC_USER_REVIEWS": "Inauthentic user reviews",
        "PHISHING": "Phishing",
        "PYRAMID_SCHEMES": "Pyramid schemes",
    },
    "SELF_HARM": {
        "CONTENT_PROMOTING_EATING_DISORDERS": "Content promoting eating disorders",
        "SELF_MUTILATION": "Self-mutilation",
        "SUICIDE": "Suicide",
    },
    "UNSAFE_AND_PROHIBITED_PRODUCTS": {
        "PROHIBITED_PRODUCTS": "Prohibited or restricted products",
        "UNSAFE_PRODUCTS": "Unsafe or non-compliant products",
    },
    "VIOLENCE": {
        "COORDINATED_HARM": "Coordinated harm",
        "INCITEMENT_VIOLENCE_HATRED": "General calls or incitement to violence and hatred",
        "HUMAN_EXPLOITATION": "Human exploitation",
        "HUMAN_TRAFFICKING": "Human trafficking",
        "TRAFFICKING_WOMEN_GIRLS": "Trafficking in women and girls",
    },
    "OTHER_VIOLATION_TC": {
        "ADULT_SEXUAL_MATERIAL": "Adult sexual material",
        "AGE_SPECIFIC_RESTRICTIONS": "Age-specific restrictions",
        "GEOGRAPHICAL_REQUIREMENTS": "Geographical requirements",
        "GOODS_SERVICES_NOT_PERMITTED": "Goods and services not permitted to be offered on the platform",
        "LANGUAGE_REQUIREMENTS": "Language requirements",
        "NUDITY": "Nudity",
    },
    "NOT_SPECIFIED_NOTICE": {},
    UNKNOWN: {},
}
"""The named keywords of each category; OTHER and STALKING may be used with any category."""

OTHER, SEVERAL, UNSPECIFIED = "OTHER", "SEVERAL", "UNSPECIFIED"


def keyword_without_name(category: str, kind: str) -> str:
    """The keyword of a category for anything without a named keyword: `CATEGORY.OTHER`, `.SEVERAL` or `.UNSPECIFIED`."""
    return f"{category}.{kind}"


def _keywords() -> Iterator[Code]:
    for category in CATEGORY:
        for code, label in KEYWORDS[category.code].items():
            yield Code(code, label, category.code)
        yield Code(
            keyword_without_name(category.code, OTHER), f"{category.label}: another keyword", category.code
        )
        yield Code(
            keyword_without_name(category.code, SEVERAL), f"{category.label}: several keywords", category.code
        )
        yield Code(
            keyword_without_name(category.code, UNSPECIFIED),
            f"{category.label}: no keyword given",
            category.code,
        )


KEYWORD = CodeList(
    "keyword",
    "The more specific keyword within the category",
    f"Implementing Regulation (EU) 2024/2835, Annex II; {DATABASE}, field category_specification",
    tuple(_keywords()),
    unknown=keyword_without_name(UNKNOWN, UNSPECIFIED),
    within=CATEGORY,
)

RESTRICTION = flat_list(
    "restriction",
    "The restriction imposed",
    f"Regulation (EU) 2022/2065, Art. 17(1) and (3)(a); {DATABASE}, fields decision_*",
    {
        "VISIBILITY_CONTENT_REMOVED": "Removal of content",
        "VISIBILITY_CONTENT_DISABLED": "Disabling access to content",
        "VISIBILITY_CONTENT_DEMOTED": "Demotion of content",
        "VISIBILITY_CONTENT_AGE_RESTRICTED": "Age-restricted content",
        "VISIBILITY_CONTENT_INTERACTION_RESTRICTED": "Restricting interaction with content",
        "VISIBILITY_CONTENT_LABELLED": "Labelled content",
        "VISIBILITY_OTHER": "Another restriction of visibility",
        "MONETARY_SUSPENSION": "Suspension of monetary payments",
        "MONETARY_TERMINATION": "Termination of monetary payments",
        "MONETARY_OTHER": "Another restriction of monetary payments",
        "PROVISION_PARTIAL_SUSPENSION": "Partial suspension of the service",
        "PROVISION_TOTAL_SUSPENSION": "Total suspension of the service",
        "PROVISION_PARTIAL_TERMINATION": "Partial termination of the service",
        "PROVISION_TOTAL_TERMINATION": "Total termination of the service",
        "ACCOUNT_SUSPENDED": "Suspension of the account",
        "ACCOUNT_TERMINATED": "Termination of the account",
        "SEVERAL": "Several restrictions in one decision",
    },
    UNKNOWN,
)

GROUND = flat_list(
    "ground",
    "The ground of the decision",
    f"Regulation (EU) 2022/2065, Art. 17(3)(d) and (e); {DATABASE}, field decision_ground",
    {
        "ILLEGAL_CONTENT": "Illegal content",
        "INCOMPATIBLE_CONTENT": "Incompatible with the terms and conditions",
    },
    UNKNOWN,
)

CONTENT_TYPE = flat_list(
    "content_type",
    "The type of content restricted",
    f"{DATABASE}, field content_type",
    {
        "APP": "App",
        "AUDIO": "Audio",
        "IMAGE": "Image",
        "PRODUCT": "Product",
        "SYNTHETIC_MEDIA": "Synthetic media",
        "TEXT": "Text",
        "VIDEO": "Video",
        "OTHER": "Other, accounts among them",
        "SEVERAL": "Several types",
    },
    UNKNOWN,
)

SOURCE = flat_list(
    "source",
    "What made the provider look",
    f"Regulation (EU) 2022/2065, Art. 17(3)(b); {DATABASE}, field source_type",
    {
        "ARTICLE_16": "Notice under Article 16",
        "TRUSTED_FLAGGER": "Notice by a trusted flagger",
        "TYPE_OTHER_NOTIFICATION": "Another kind of notification",
        "VOLUNTARY": "The provider's own initiative",
    },
    UNKNOWN,
)

AUTOMATED_DETECTION = flat_list(
    "automated_detection",
    "Whether the content was detected by automated means",
    f"Regulation (EU) 2022/2065, Art. 17(3)(c); {DATABASE}, field automated_detection",
    {"YES": "Detected by automated means", "NO": "Not detected by automated means"},
    UNKNOWN,
)

AUTOMATED_DECISION = flat_list(
    "automated_decision",
    "Whether the decision was taken by automated means",
    f"Regulation (EU) 2022/2065, Art. 17(3)(c); {DATABASE}, field automated_decision",
    {"FULLY": "Fully automated", "PARTIALLY": "Partially automated", "NOT_AUTOMATED": "Not automated"},
    UNKNOWN,
)

ACCOUNT_TYPE = flat_list(
    "account_type",
    "The type of account restricted",
    f"Regulation (EU) 2019/1150, Art. 2(1); {DATABASE}, field account_type",
    {"BUSINESS": "Business account", "PRIVATE": "Private account"},
    UNKNOWN,
)

# --- the schema in force until 30 June 2025 -------------------------------------------------------

CATEGORY_BEFORE_JULY_2025: dict[str, str | None] = {
    **{code: code for code in (
        "ANIMAL_WELFARE", "DATA_PROTECTION_AND_PRIVACY_VIOLATIONS", "ILLEGAL_OR_HARMFUL_SPEECH",
        "INTELLECTUAL_PROPERTY_INFRINGEMENTS", "NEGATIVE_EFFECTS_ON_CIVIC_DISCOURSE_OR_ELECTIONS",
        "PROTECTION_OF_MINORS", "RISK_FOR_PUBLIC_SECURITY", "SCAMS_AND_FRAUD", "SELF_HARM", "VIOLENCE",
    )},
    "UNSAFE_AND_ILLEGAL_PRODUCTS": "UNSAFE_AND_PROHIBITED_PRODUCTS",
    "SCOPE_OF_PLATFORM_SERVICE": "OTHER_VIOLATION_TC",
    "NON_CONSENSUAL_BEHAVIOUR": None,
    "PORNOGRAPHY_OR_SEXUALIZED_CONTENT": None,
}  # fmt: skip
"""The 14 categories of the earlier schema and their names now; None if a category has no successor."""

KEYWORD_BEFORE_JULY_2025: dict[str, str | None] = {
    "ONLINE_BULLYING_INTIMIDATION": "CYBER_BULLYING_INTIMIDATION",
    "INSUFFICIENT_INFORMATION_TRADERS": "INSUFFICIENT_INFORMATION_ON_TRADERS",
    "DISINFORMATION": "MISINFORMATION_DISINFORMATION",
    "NON_CONSENSUAL_ITEMS_DEEPFAKE": "NON_CONSENSUAL_MATERIAL_DEEPFAKE",
    "MISINFORMATION": None,
    "FOREIGN_INFORMATION_MANIPULATION": None,
    "REGULATED_GOODS_SERVICES": None,
    "DANGEROUS_TOYS": None,
    "GENDER_BASED_VIOLENCE": None,
    "IMAGE_BASED_SEXUAL_ABUSE": None,
}
"""The ten keywords that only the earlier schema has; the other 45 have the same name now."""
