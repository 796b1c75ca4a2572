"""Detached JWS signatures over bytes (RFC 7515, appendix F), for releases and for the head of the audit log."""

from __future__ import annotations

import json
from collections.abc import Callable

from jose import jws
from jose.backends.base import Key
from jose.exceptions import JOSEError

from auth.crypto.keys import ALGORITHM, Purpose, Signer
from auth.crypto.strict_json import decode_segment, encode_segment, read_object
from auth.errors import SignatureRefused
from auth.identifiers import is_key_id

_TYPES: dict[Purpose, str] = {"release": "release+jws", "audit": "audit+jws"}
"""The `typ` of a signature for each purpose, so that a signature for one purpose is not valid for another."""

_MAX_SIGNATURE_LENGTH = 1024
_SIGNATURE_BYTES = 64


def sign_detached(payload: bytes, signer: Signer, purpose: Purpose) -> str:
    """A detached JWS over the bytes: `header..signature`, without the payload."""
    headers = {"typ": _TYPES[purpose], "kid": signer.kid}
    header, _, signature = jws.sign(payload, signer.key, headers=headers, algorithm=ALGORITHM).split(".")
    return f"{header}..{signature}"


def verify_detached(
    payload: bytes, signature: str, purpose: Purpose, find_key: Callable[[str], Key | None]
) -> None:
    """Raises SignatureRefused unless `signature` was made over these bytes for this purpose.

    `find_key` gives the public key of this purpose that has a kid. The header must be byte for byte the one that
    `sign_detached` writes, so the signature cannot choose how it is verified.
    """
    if not _is_valid(payload, signature, purpose, find_key):
        raise SignatureRefused(
            f"The signature over this {purpose} was not made by a {purpose} key of this registry over these "
            "bytes; do not trust them.",
            parameter="signature",
        )


def _is_valid(
    payload: bytes, signature: str, purpose: Purpose, find_key: Callable[[str], Key | None]
) -> bool:
    if len(signature) > _MAX_SIGNATURE_LENGTH:
        return False
    try:
        header, middle, proof = signature.split(".")
        kid = read_object(decode_segment(header))["kid"]
        if not (isinstance(kid, str) and is_key_id(kid) and header == _protected_header(kid, purpose)):
            return False
        if middle or len(decode_segment(proof)) != _SIGNATURE_BYTES:
            return False
        key = find_key(kid)
        text = f"{header}.{encode_segment(payload)}.{proof}"
        return key is not None and jws.verify(text, key, algorithms=[ALGORITHM]) == payload
    except (JOSEError, ValueError, KeyError):
        return False


def _protected_header(kid: str, purpose: Purpose) -> str:
    header = {"alg": ALGORITHM, "kid": kid, "typ": _TYPES[purpose]}
    return encode_segment(json.dumps(header, sort_keys=True, separators=(",", ":")).encode("ascii"))
