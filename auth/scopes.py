"""Scopes and tiers: the closed lists of both, and how they are parsed and written."""

from __future__ import annotations

from collections.abc import Iterable

from auth.errors import MalformedValue, NotAllowed, printable, similar_options, suggestion_sentence

SCOPES = ("ads:read", "moderation:read", "recommendations:read", "reports:read")
TIERS = ("standard", "extended")
"""Names of rate limits and quotas; the API's settings say what each allows."""


def parse_scopes(text: str) -> frozenset[str]:
    """The scopes written as a list with commas or spaces. Raises MalformedValue.

    >>> sorted(parse_scopes("ads:read, moderation:read"))
    ['ads:read', 'moderation:read']
    """
    words = text.replace(",", " ").split()
    if not words:
        raise MalformedValue(
            f"scopes: the list is empty; it needs at least one of {', '.join(SCOPES)}.",
            parameter="scopes",
            allowed=SCOPES,
        )
    for word in words:
        _ensure_listed("scopes", word, SCOPES)
    return frozenset(words)


def ensure_tier(text: str) -> str:
    """The tier itself. Raises MalformedValue if there is no such tier."""
    _ensure_listed("tier", text, TIERS)
    return text


def write_scopes(scopes: Iterable[str]) -> str:
    """Scopes as a token and its row hold them: sorted, with one space between (RFC 6749, 3.3)."""
    return " ".join(sorted(scopes))


def read_scopes(text: str) -> frozenset[str]:
    """The inverse of `write_scopes`."""
    return frozenset(text.split())


def ensure_within(scopes: frozenset[str], granted: frozenset[str], holder: str) -> None:
    """Raises NotAllowed if one of the scopes is not granted to the holder (`project X`)."""
    beyond = sorted(scopes - granted)
    if beyond:
        raise NotAllowed(
            f"scopes: {', '.join(beyond)} is beyond the {holder}, which has {', '.join(sorted(granted))}.",
            parameter="scopes",
            value=",".join(beyond),
            allowed=sorted(granted),
        )


def _ensure_listed(parameter: str, word: str, allowed: tuple[str, ...]) -> None:
    if word not in allowed:
        found = similar_options(word, allowed)
        raise MalformedValue(
            f"{parameter}: {printable(word)!r} is none of {', '.join(allowed)}.{suggestion_sentence(found)}",
            parameter=parameter,
            value=word,
            allowed=allowed,
            suggestions=found,
        )
