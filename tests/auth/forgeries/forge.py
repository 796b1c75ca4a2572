"""The forger: a good token, the real keys, and the functions that make forged tokens of them."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from auth.crypto.strict_json import decode_segment, encode_segment

ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True)
class Forge:
    """What a forger could wish for: a good token, its parts, and the very keys that signed it."""

    good: str
    private: ec.EllipticCurvePrivateKey
    public_pem: str
    release_kid: str
    release_private: ec.EllipticCurvePrivateKey
    now: datetime

    @property
    def header(self) -> dict[str, object]:
        return dict(json.loads(decode_segment(self.good.split(".")[0])))

    @property
    def claims(self) -> dict[str, object]:
        return dict(json.loads(decode_segment(self.good.split(".")[1])))

    @property
    def segments(self) -> list[str]:
        return self.good.split(".")

    def seconds(self, **delta: float) -> int:
        return int((self.now + timedelta(**delta)).timestamp())

    def with_header(self, **changes: object) -> str:
        return self.signed(dumped(self.header | changes), dumped(self.claims))

    def without_header(self, name: str) -> str:
        return self.signed(dumped({k: v for k, v in self.header.items() if k != name}), dumped(self.claims))

    def with_claims(self, **changes: object) -> str:
        return self.signed(dumped(self.header), dumped(self.claims | changes))

    def without_claim(self, name: str) -> str:
        return self.signed(dumped(self.header), dumped({k: v for k, v in self.claims.items() if k != name}))

    def with_payload(self, payload: bytes) -> str:
        return self.signed(dumped(self.header), payload)

    def with_raw_header(self, header: bytes) -> str:
        return self.signed(header, dumped(self.claims))

    def signed(self, header: bytes, payload: bytes, private: ec.EllipticCurvePrivateKey | None = None) -> str:
        signing_input = f"{encode_segment(header)}.{encode_segment(payload)}"
        return f"{signing_input}.{encode_segment(es256(private or self.private, signing_input.encode()))}"

    def with_hmac(self, secret: bytes, alg: str, digest: str) -> str:
        signing_input = f"{encode_segment(dumped(self.header | {'alg': alg}))}.{self.segments[1]}"
        return f"{signing_input}.{encode_segment(hmac.new(secret, signing_input.encode(), digest).digest())}"

    def with_signature(self, signature: bytes) -> str:
        return ".".join([*self.segments[:2], encode_segment(signature)])


def dumped(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def es256(private: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    r, s = decode_dss_signature(private.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def mirrored(forge: Forge) -> str:
    """The other signature that ECDSA accepts over the same bytes: (r, n - s)."""
    signature = decode_segment(forge.segments[2])
    s = ORDER_OF_P256 - int.from_bytes(signature[32:], "big")
    return forge.with_signature(signature[:32] + s.to_bytes(32, "big"))


def with_other_spare_bits(segment: str) -> str:
    """Another spelling that a lax decoder reads as the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return segment[:-1] + alphabet[alphabet.index(segment[-1]) + 1]


def with_repeated_member(value: dict[str, object], name: str, other: object) -> bytes:
    return dumped(value)[:-1] + f",{json.dumps(name)}:{json.dumps(other)}}}".encode()


def read_elliptic_key(file: Path) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(file.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def with_literal(value: dict[str, object], name: str, literal: str) -> bytes:
    return dumped(value | {name: "@@"}).replace(b'"@@"', literal.encode())


Family = Callable[[Forge], str]
"""Makes one kind of forged token."""
