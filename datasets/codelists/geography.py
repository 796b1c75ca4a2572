"""Code lists of places: the countries of the European Union and the European Economic Area."""

from __future__ import annotations

from datasets.codelists import flat_list

COUNTRIES = {
    "AT": "Austria", "BE": "Belgium", "BG": "Bulgaria", "CY": "Cyprus", "CZ": "Czechia", "DE": "Germany",
    "DK": "Denmark", "EE": "Estonia", "ES": "Spain", "FI": "Finland", "FR": "France", "GR": "Greece",
    "HR": "Croatia", "HU": "Hungary", "IE": "Ireland", "IS": "Iceland", "IT": "Italy", "LI": "Liechtenstein",
    "LT": "Lithuania", "LU": "Luxembourg", "LV": "Latvia", "MT": "Malta", "NL": "Netherlands", "NO": "Norway",
    "PL": "Poland", "PT": "Portugal", "RO": "Romania", "SE": "Sweden", "SI": "Slovenia", "SK": "Slovakia",
}  # fmt: skip
"""The 30 codes of the European Economic Area, as the DSA Transparency Database writes them: Greece is GR."""

OUTSIDE_THE_UNION = ("IS", "LI", "NO")

MEMBER_STATE = flat_list(
    "member_state",
    "Countries of the European Economic Area",
    "ISO 3166-1 alpha-2; DSA Transparency Database, field territorial_scope",
    {
        **COUNTRIES,
        "EU": "The whole European Union",
        "EEA": "The whole European Economic Area",
        "several": "Several countries, but neither of the above",
    },
)
"""Where a restriction applies, or where a recipient is; a recipient is in one country."""
