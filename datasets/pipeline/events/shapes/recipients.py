"""Who the recipients are: shared by ads and recommendations.

By Member State as AliExpress published it for the first half of 2026 (docs/law.md#figures-of-a-transparency-report); ages,
devices, products and sellers are ours and only plausible.
"""

from __future__ import annotations

RECIPIENTS = {
    "ES": 36.35, "FR": 27.95, "DE": 21.59, "IT": 16.9, "PL": 13.28, "NL": 11.82, "PT": 5.58, "RO": 4.86,
    "BE": 2.92, "SE": 2.22, "CZ": 2.13, "HU": 1.66, "AT": 1.51, "FI": 1.46, "LT": 1.33, "GR": 1.3,
    "IE": 1.12, "BG": 1, "HR": 0.97, "SK": 0.92, "DK": 0.86, "LV": 0.62, "SI": 0.44, "EE": 0.41, "CY": 0.24,
    "MT": 0.21, "LU": 0.19,
}  # fmt: skip
"""Average monthly recipients, in millions."""
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
