"""Refusals: exceptions for a request that cannot be served, with one sentence that names what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MAX_PRINTED = 60


class Refusal(Exception):
    """A request cannot be served as it stands. A refusal knows nothing of HTTP or of exit codes.

    The message is one sentence that names the parameter, the value and what would be right. `parameter`,
    `value`, `allowed` and `suggestions` hold the same for programs; each may be empty.
    """

    def __init__(
        self,
        sentence: str,
        *,
        parameter: str = "",
        value: str = "",
        allowed: Iterable[str] = (),
        suggestions: Iterable[str] = (),
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.parameter = parameter
        self.value = printable(value)
        self.allowed = tuple(allowed)
        self.suggestions = tuple(suggestions)


def printable(value: str) -> str:
    """A value that can be repeated to its sender: shortened, and printable on one line.

    >>> printable("a" * 70)[-3:]
    'aa…'
    """
    text = "".join(c if c.isprintable() else "�" for c in value[: _MAX_PRINTED + 1])
    return text if len(value) <= _MAX_PRINTED else text[:_MAX_PRINTED] + "…"


def nearest(word: str, options: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The options that are most likely meant by `word`: first those that begin with it, then those that resemble it.

    >>> nearest("categroy", ["category", "ground"])
    ('category',)
    >>> nearest("SCAMS", ["VIOLENCE", "SCAMS_AND_FRAUD"])
    ('SCAMS_AND_FRAUD',)
    """
    by_folded = {option.casefold(): option for option in options}
    folded = word[:_MAX_PRINTED].casefold()
    starting = [option for option in by_folded if len(folded) > 2 and option.startswith(folded)]
    similar = get_close_matches(folded, by_folded, n=most, cutoff=0.6)
    return tuple(by_folded[option] for option in dict.fromkeys((*starting, *similar)))[:most]


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """A sentence that offers the nearest options; empty if none is near.

    >>> did_you_mean("categroy", ["category", "ground"])
    ' Did you mean category?'
    """
    suggestions = nearest(word, options)
    return f" Did you mean {' or '.join(suggestions)}?" if suggestions else ""
