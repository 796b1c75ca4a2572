"""The registry as the API and the command line see it. Signatures first; the acts follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from auth.settings import RegistrySettings


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and what they may ask, as the registry says at this moment."""

    project: str
    """Identifier of the project, `prj_...`: the key under which limits and usage are counted."""
    reference: str
    """Reference of the reasoned request."""
    tier: str
    scopes: frozenset[str]
    """The token's scopes that the project still has."""
    researcher: str
    """Identifier of the person, `res_...`."""
    token_id: str
    """The token's jti, `tok_...`: may be logged, opens nothing."""
    expires: datetime
    """When this access ends (UTC): the token's end or the project's, whichever comes first."""


class Registry:
    """One open registry. Safe to share between threads; opening and construction touch no database."""

    in_process: bool
    """True where a look-up reads a local file (SQLite, tens of µs): call `principal` in the event loop.

    False on PostgreSQL, where it waits for a server: call `principal` in a worker thread.
    """

    def principal(self, text: str, now: datetime) -> Principal:
        """Who holds this token (without the word Bearer), looked up anew on each call.

        Raises TokenRefused (one refusal outside, `cause` for the log) and RegistryUnavailable.
        """
        raise NotImplementedError

    def jwks(self) -> dict[str, Any]:
        """The public keys, as /.well-known/jwks.json serves them. Raises RegistryUnavailable."""
        raise NotImplementedError

    def release_signer(self) -> Callable[[bytes], str]:
        """Signs a manifest's bytes as a detached JWS with the active release key."""
        raise NotImplementedError

    def release_verifier(self) -> Callable[[bytes, str], None]:
        """Checks a manifest's bytes against its detached JWS; what it returns raises SignatureRefused."""
        raise NotImplementedError

    def is_up(self) -> bool:
        """Whether the registry answers and its tables are this program's. Never raises."""
        raise NotImplementedError

    def write_last_uses(self) -> int:
        """Writes when tokens were last used, as gathered since the last call; returns how many tokens.

        Call it from a worker thread about once a minute; `close` calls it too.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Writes what is pending and lets go of every connection."""
        raise NotImplementedError


def open_registry(settings: RegistrySettings) -> Registry:
    """A registry that connects when it is first asked; a missing one answers RegistryUnavailable."""
    raise NotImplementedError
