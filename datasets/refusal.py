"""What is said to someone whose request cannot be served: one sentence that names what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_SHOWN = 60


class Refusal(Exception):
    """A request that cannot be served as it stands. It knows nothing of HTTP or of exit codes.

    The message is one sentence that names the parameter, the value and what would be right. `parameter`,
    `value`, `allowed` and `suggestions` hold the same for a machine; each may be empty.
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
    """A value as it may be repeated to its sender: short, and printable on one line.

    >>> printable("a" * 70)[-3:]
    'aa…'
    """
    printable = "".join(c if c.isprintable() else "�" for c in value[: _SHOWN + 1])
    return printable if len(value) <= _SHOWN else printable[:_SHOWN] + "…"


def nearest(word: str, options: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The options that `word` may have been meant to be, the likeliest first: those it begins, then those it resembles.

    >>> nearest("categroy", ["category", "ground"])
    ('category',)
    >>> nearest("SCAMS", ["VIOLENCE", "SCAMS_AND_FRAUD"])
    ('SCAMS_AND_FRAUD',)
    """
    by_folded = {option.casefold(): option for option in options}
    folded = word[:_SHOWN].casefold()
    begun = [option for option in by_folded if len(folded) > 2 and option.startswith(folded)]
    near = get_close_matches(folded, by_folded, n=most, cutoff=0.6)
    return tuple(by_folded[option] for option in dict.fromkeys((*begun, *near)))[:most]


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """A sentence that offers the nearest options, or nothing where none is near.

    >>> did_you_mean("categroy", ["category", "ground"])
    ' Did you mean category?'
    """
    found = nearest(word, options)
    return f" Did you mean {' or '.join(found)}?" if found else ""
