"""The text of a token (JWT): signing, and the strict verification of its format, signature and claims.

The profile is RFC 9068 (`at+jwt`) under the rules of RFC 8725. python-jose only signs, and verifies a signature with the
key that was found by the kid; it never follows the token's `alg`. The header and the claims are parsed here, strictly.
Whether the registry still accepts the token is checked in auth/tokens/principal.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from jose import jws
from jose.backends.base import Key
from jose.exceptions import JOSEError

from auth.crypto.keys import ALGORITHM, Signer
from auth.crypto.strict_json import decode_segment, read_object
from auth.errors import TokenRefused
from auth.identifiers import is_key_id, is_token_id

MAX_TOKEN_LENGTH: Final = 4096
"""Characters; a token of this registry has about 600."""

MAX_LIFE: Final = timedelta(days=366)
CLOCK_SKEW: Final = timedelta(seconds=60)
"""By how much the clock of the issuing host may be ahead of the clock of the verifying host."""

_TYPE = "at+jwt"
_SEGMENTS = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})", re.ASCII)
_LAST_SECOND = 253_402_300_799
"""The end of the year 9999, the largest that `datetime` can represent."""

_STRING_CLAIMS = ("iss", "aud", "sub", "client_id", "jti", "scope")
_TIME_CLAIMS = ("iat", "nbf", "exp")
_CLAIMS = frozenset(_STRING_CLAIMS + _TIME_CLAIMS)


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a token. Times are in seconds since 1970, as in the token."""

    iss: str
    aud: str
    sub: str
    """Identifier of the researcher, `res_...`."""
    client_id: str
    """Identifier of the project, `prj_...`."""
    jti: str
    scope: str
    iat: int
    nbf: int
    exp: int


def sign_token(claims: Claims, signer: Signer) -> str:
    """The token's text. Anybody who has it can use it, so it is never stored and never logged."""
    payload = {name: getattr(claims, name) for name in (*_STRING_CLAIMS, *_TIME_CLAIMS)}
    data = json.dumps(payload, separators=(",", ":")).encode("utf-8")
    headers = {"typ": _TYPE, "kid": signer.kid}
    return str(jws.sign(data, signer.key, headers=headers, algorithm=ALGORITHM))


def verify_signature(text: str, find_key: Callable[[str], Key | None]) -> tuple[str, Claims]:
    """The kid and the claims of a text that one of these keys signed; the claims are not checked. Raises TokenRefused."""
    match = _SEGMENTS.fullmatch(text) if len(text) <= MAX_TOKEN_LENGTH else None
    if match is None:
        raise TokenRefused("malformed: not three short segments of base64url")
    kid = _read_header(match[1])
    _ensure_canonical(match[2], match[3])
    key = find_key(kid)
    if key is None:
        raise TokenRefused("key: the kid is unknown")
    try:
        payload = jws.verify(text, key, algorithms=[ALGORITHM])
    except (JOSEError, ValueError, TypeError, OverflowError, RecursionError):
        raise TokenRefused("signature: does not verify") from None
    return kid, _read_claims(payload)


def read_claims_ignoring_expiry(
    text: str, find_key: Callable[[str], Key | None], issuer: str, audience: str
) -> tuple[str, Claims]:
    """The kid and the claims of a token that this issuer signed for this audience, even if it has expired.

    It serves to identify a token that was found somewhere; never authenticate with it. Raises TokenRefused.
    """
    kid, claims = verify_signature(text, find_key)
    ensure_claims(claims, issuer, audience, datetime.fromtimestamp(claims.iat, UTC))
    return kid, claims


def _read_header(segment: str) -> str:
    header = _read_segment(segment, "header")
    if header.keys() != {"alg", "typ", "kid"}:
        raise TokenRefused("header: its members are not exactly alg, typ and kid")
    if header["alg"] != ALGORITHM or header["typ"] != _TYPE:
        raise TokenRefused("header: another alg or typ")
    kid = header["kid"]
    if not (isinstance(kid, str) and is_key_id(kid)):
        raise TokenRefused("header: the kid is malformed")
    return kid


def _ensure_canonical(*segments: str) -> None:
    try:
        for segment in segments:
            decode_segment(segment)
    except ValueError:
        raise TokenRefused("malformed: a segment is not canonical base64url") from None


def _read_segment(segment: str, name: str) -> dict[str, Any]:
    try:
        return read_object(decode_segment(segment))
    except ValueError:
        raise TokenRefused(f"{name}: not a plain JSON object in canonical base64url") from None


def _read_claims(payload: bytes) -> Claims:
    try:
        found = read_object(payload)
    except ValueError:
        raise TokenRefused("claims: not a plain JSON object") from None
    if found.keys() != _CLAIMS:
        raise TokenRefused("claims: some are missing, or there are unknown ones")
    if not all(type(found[name]) is str for name in _STRING_CLAIMS):
        raise TokenRefused("claims: one that must be a string is not")
    if not all(type(found[name]) is int and 0 <= found[name] <= _LAST_SECOND for name in _TIME_CLAIMS):
        raise TokenRefused("claims: one that must be a time is not")
    return Claims(**found)


def ensure_claims(claims: Claims, issuer: str, audience: str, now: datetime) -> None:
    """Raises TokenRefused unless the claims name this issuer and audience and the token is valid at this time."""
    if claims.iss != issuer:
        raise TokenRefused("claims: another issuer")
    if claims.aud != audience:
        raise TokenRefused("claims: another audience")
    if not is_token_id(claims.jti):
        raise TokenRefused("claims: the jti is malformed")
    seconds = now.astimezone(UTC).timestamp()
    latest = seconds + CLOCK_SKEW.total_seconds()
    if claims.iat > latest or claims.nbf > latest:
        raise TokenRefused("claims: not valid yet")
    if claims.exp <= seconds:
        raise TokenRefused("expired")
    if not 0 < claims.exp - claims.iat <= MAX_LIFE.total_seconds() or claims.nbf < claims.iat:
        raise TokenRefused("claims: a lifetime that is not allowed")
