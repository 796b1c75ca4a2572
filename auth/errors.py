"""The registry's exceptions, each with one sentence that names what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MAX_SHOWN = 60


class RegistryError(Exception):
    """An operation that the registry refuses. It knows nothing of HTTP or of exit codes.

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


class TokenRefused(RegistryError):
    """A bearer token that is not accepted. The caller gets the same sentence for every cause; `cause` is for the log only."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            "Authorization: this token is not valid, or no longer; send as 'Bearer TOKEN' a token that was "
            "issued here, has not been revoked, and belongs to a project that is active today.",
            parameter="Authorization",
        )
        self.cause = cause


class RegistryUnavailable(RegistryError):
    """The database of the registry cannot be reached, so no request is authenticated. `cause` is for the log only."""

    def __init__(
        self,
        cause: str,
        sentence: str = "The registry cannot be reached, so no request can be authenticated. Try again shortly.",
    ) -> None:
        super().__init__(sentence)
        self.cause = cause


class MalformedValue(RegistryError):
    """A value that does not have the form that its parameter requires."""


class UnknownRecord(RegistryError):
    """A project, researcher, token, key or other record that is not in the registry."""


class NotAllowed(RegistryError):
    """An operation that the state of the registry forbids: a repetition, a past date, a scope beyond the project's."""


class SignatureRefused(RegistryError):
    """A detached signature that no key of this registry for this purpose made over these bytes."""


class KeyUnusable(RegistryError):
    """A private key that is missing, is readable by others, or does not match the public key in the registry."""


class SchemaMismatch(RegistryError):
    """The tables of the registry belong to another version of the program."""


class ChainBroken(RegistryError):
    """The audit log was edited, cut, reordered or added to. `position` is the event, counted from 1."""

    def __init__(self, position: int, sentence: str) -> None:
        super().__init__(sentence, parameter="audit", value=str(position))
        self.position = position


def printable(value: str) -> str:
    """A value in a form that may be repeated to its sender: short, and printable on one line.

    >>> printable("a" * 70)[-3:]
    'aa…'
    """
    text = "".join(c if c.isprintable() else "�" for c in value[: _MAX_SHOWN + 1])
    return text if len(value) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"


def similar_options(word: str, options: Iterable[str], max_count: int = 3) -> tuple[str, ...]:
    """The options that are most similar to `word`, the most similar first.

    >>> similar_options("ads:raed", ["ads:read", "reports:read"])
    ('ads:read',)
    """
    by_folded = {option.casefold(): option for option in options}
    found = get_close_matches(word[:_MAX_SHOWN].casefold(), by_folded, n=max_count, cutoff=0.6)
    return tuple(by_folded[folded] for folded in found)


def suggestion_sentence(suggestions: Iterable[str]) -> str:
    """A sentence that offers the suggestions, or an empty text if there are none.

    >>> suggestion_sentence(["ads:read"])
    ' Did you mean ads:read?'
    """
    words = " or ".join(suggestions)
    return f" Did you mean {words}?" if words else ""
