"""What a client would rather have: the members of Accept and Accept-Encoding in order (RFC 9110, section 12.4.2)."""

from __future__ import annotations

import re

_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)


def by_preference(field: str) -> list[str]:
    """The names in a field, the one liked best first, without those that are not wanted.

    >>> by_preference("text/csv;q=0.5, application/json, */*;q=0")
    ['application/json', 'text/csv']
    """
    liked: list[tuple[float, str]] = []
    for part in field.split(","):
        name, *parameters = (word.strip().lower() for word in part.split(";"))
        quality = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        liked.append((float(quality) if _QUALITY.fullmatch(quality) else 1.0, name))
    return [name for quality, name in sorted(liked, key=lambda pair: -pair[0]) if quality and name]
