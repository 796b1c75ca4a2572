"""Who the recipients are: shared by ads and recommendations.

Average monthly recipients of AliExpress by Member State, first half of 2026, in millions, where DSA.md quotes them
(transparency report, part 10): ES, FR, DE, IT, PL, NL, MT, LU. The others are filled in by population, not published.
"""

from __future__ import annotations

RECIPIENTS = {
    "ES": 36.4, "FR": 28.0, "DE": 21.6, "IT": 16.9, "PL": 13.3, "NL": 11.8, "MT": 0.21, "LU": 0.19,
    "BE": 4.2, "PT": 5.1, "CZ": 3.1, "RO": 3.4, "GR": 2.6, "HU": 2.4, "SE": 2.1, "AT": 2.2, "BG": 1.6, "DK": 1.2,
    "FI": 1.1, "SK": 1.7, "IE": 1.3, "HR": 1.1, "LT": 0.9, "SI": 0.6, "LV": 0.6, "EE": 0.5, "CY": 0.4,
}  # fmt: skip
AGES = {"18-24": 14, "25-34": 27, "35-44": 24, "45-54": 17, "55-64": 10, "65+": 5, "unknown": 3}
DEVICES = {"app_android": 52, "app_ios": 20, "web_mobile": 10, "web_desktop": 17, "other": 1}
PRODUCTS = {
    "consumer_electronics": 14, "phones": 11, "apparel": 12, "home_garden": 9, "home_improvement": 6, "toys_games": 6,
    "beauty": 6, "jewellery_watches": 5, "vehicles": 5, "sports": 5, "tools": 5, "computers": 4, "shoes": 3, "lighting": 3,
    "bags_luggage": 2, "home_appliances": 2, "pets": 1.5, "office_school": 1.5, "babies_children": 1, "health": 1,
    "furniture": 1, "security": 0.7, "digital": 0.3, "adult": 0.4, "food": 0.2, "other": 1,
}  # fmt: skip
RISKS_OF_PRODUCTS = {
    "health": {
        "none": 40,
        "food_supplement": 25,
        "medicinal_product": 10,
        "medical_device": 15,
        "sexual_health": 10,
    },
    "food": {"none": 60, "food_supplement": 40},
    "beauty": {"none": 30, "cosmetics": 68, "medicinal_product": 2},
    "adult": {"adult_content": 70, "sexual_health": 30},
    "toys_games": {"none": 25, "toy_childcare": 73, "weapon_like": 2},
    "babies_children": {"none": 20, "toy_childcare": 80},
    "consumer_electronics": {"none": 30, "electrical_ce": 70},
    "home_appliances": {"none": 20, "electrical_ce": 80},
    "lighting": {"none": 20, "electrical_ce": 80},
    "sports": {"none": 93, "weapon_like": 7},
}
RISK_OTHERWISE = {"none": 95, "electrical_ce": 3, "other_regulated": 1.9, "protected_species": 0.1}
"""Ours: a plausible mix, no published figure."""
SELLERS = {"CN": 88, "EU": 7, "GB": 1, "US": 1, "other": 2, "unknown": 1}
