"""Parsing of Accept and Accept-Encoding: their members in the order of preference (RFC 9110, section 12.4.2)."""

from __future__ import annotations

import re

_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)


def by_preference(field: str) -> list[str]:
    """The names in a field, the most preferred first; names with quality 0 are left out.

    >>> by_preference("text/csv;q=0.5, application/json, */*;q=0")
    ['application/json', 'text/csv']
    """
    preferences: list[tuple[float, str]] = []
    for member in field.split(","):
        name, *parameters = (word.strip().lower() for word in member.split(";"))
        quality = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        preferences.append((float(quality) if _QUALITY.fullmatch(quality) else 1.0, name))
    return [name for quality, name in sorted(preferences, key=lambda pair: -pair[0]) if quality and name]
