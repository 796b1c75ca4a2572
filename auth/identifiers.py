"""Random identifiers of records, long enough to be unique, safe in a URL, a log line and a shell."""

from __future__ import annotations

import re
import secrets

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_LENGTHS = {"adm": 16, "app": 16, "ins": 16, "ntc": 16, "prj": 16, "res": 16, "tok": 26}
_TOKEN_ID = re.compile(r"tok_[a-z2-7]{26}", re.ASCII)
_KEY_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)


def new_identifier(kind: str) -> str:
    """A fresh identifier of an admin (`adm`), application (`app`), institution (`ins`), notice (`ntc`), project (`prj`),
    researcher (`res`) or token (`tok`).

    >>> new_identifier("prj")[:4], len(new_identifier("tok"))
    ('prj_', 30)
    """
    return f"{kind}_{''.join(secrets.choice(_ALPHABET) for _ in range(_LENGTHS[kind]))}"


def is_token_id(text: str) -> bool:
    """Whether this has the form of a token's jti. Nothing else is looked up in the database."""
    return _TOKEN_ID.fullmatch(text) is not None


def is_key_id(text: str) -> bool:
    """Whether this has the form of a kid: the start of a key's RFC 7638 thumbprint, in hexadecimal."""
    return _KEY_ID.fullmatch(text) is not None
