"""What the registry refuses, each with one sentence that names what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_SHOWN = 60


class RegistryError(Exception):
    """An act or a question that the registry refuses. It knows nothing of HTTP or of exit codes.

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
        self.value = shown(value)
        self.allowed = tuple(allowed)
        self.suggestions = tuple(suggestions)


class TokenRefused(RegistryError):
    """A bearer token that opens nothing. Outside, every cause looks the same; `cause` is for the log alone."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            "Authorization: this token is not valid, or no longer; send as 'Bearer TOKEN' a token that was "
            "issued here, has not been revoked, and belongs to a project that is active today.",
            parameter="Authorization",
        )
        self.cause = cause


class RegistryUnavailable(RegistryError):
    """The registry cannot be asked just now, so nobody is let in. `cause` is for the log alone."""

    def __init__(self, cause: str) -> None:
        super().__init__("The registry cannot be reached; nobody is let in until it can. Try again shortly.")
        self.cause = cause


class MalformedValue(RegistryError):
    """A value that is not written as its parameter asks."""


class UnknownRecord(RegistryError):
    """A project, researcher, token or key that the registry does not hold."""


class NotAllowed(RegistryError):
    """An act against the state of the registry: a repetition, a past date, a scope beyond the project's."""


class SignatureRefused(RegistryError):
    """Bytes whose detached signature was not made over them by a key of this registry for this purpose."""


class KeyUnusable(RegistryError):
    """A private key that is missing, may be read by others, or is not the one that the registry knows."""


class SchemaMismatch(RegistryError):
    """A registry whose tables are not those of this version of the program."""


class ChainBroken(RegistryError):
    """An audit that was edited, cut, reordered or added to; `position` is where, counted from 1."""

    def __init__(self, position: int, sentence: str) -> None:
        super().__init__(sentence, parameter="audit", value=str(position))
        self.position = position


def shown(value: str) -> str:
    """A value as it may be repeated to its sender: short, and printable on one line.

    >>> shown("a" * 70)[-3:]
    'aa…'
    """
    printable = "".join(c if c.isprintable() else "�" for c in value[: _SHOWN + 1])
    return printable if len(value) <= _SHOWN else printable[:_SHOWN] + "…"


def nearest(word: str, options: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The options that `word` may have been meant to be, the likeliest first.

    >>> nearest("ads:raed", ["ads:read", "reports:read"])
    ('ads:read',)
    """
    by_folded = {option.casefold(): option for option in options}
    found = get_close_matches(word[:_SHOWN].casefold(), by_folded, n=most, cutoff=0.6)
    return tuple(by_folded[folded] for folded in found)


def did_you_mean(suggestions: Iterable[str]) -> str:
    """A sentence that offers the suggestions, or nothing where there are none.

    >>> did_you_mean(["ads:read"])
    ' Did you mean ads:read?'
    """
    words = " or ".join(suggestions)
    return f" Did you mean {words}?" if words else ""
