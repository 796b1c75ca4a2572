"""Tokens whose signature does not verify."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from auth.crypto.strict_json import decode_segment, encode_segment
from tests.auth.forgeries.forge import ORDER_OF_P256, Family, dumped

SIGNATURES: dict[str, Family] = {
    "another key": lambda f: f.signed(
        dumped(f.header), dumped(f.claims), ec.generate_private_key(ec.SECP256R1())
    ),
    "all zeros": lambda f: f.with_signature(bytes(64)),
    "all ones": lambda f: f.with_signature(b"\xff" * 64),
    "r zero": lambda f: f.with_signature(bytes(32) + decode_segment(f.segments[2])[32:]),
    "s zero": lambda f: f.with_signature(decode_segment(f.segments[2])[:32] + bytes(32)),
    "s the order": lambda f: f.with_signature(
        decode_segment(f.segments[2])[:32] + ORDER_OF_P256.to_bytes(32, "big")
    ),
    "one byte short": lambda f: f.with_signature(decode_segment(f.segments[2])[:-1]),
    "one byte long": lambda f: f.with_signature(decode_segment(f.segments[2]) + b"\0"),
    "in DER": lambda f: f.with_signature(
        f.private.sign(".".join(f.segments[:2]).encode(), ec.ECDSA(hashes.SHA256()))
    ),
    "halves exchanged": lambda f: f.with_signature(
        decode_segment(f.segments[2])[32:] + decode_segment(f.segments[2])[:32]
    ),
    "one bit flipped": lambda f: f.with_signature(
        bytes([decode_segment(f.segments[2])[0] ^ 1]) + decode_segment(f.segments[2])[1:]
    ),
    "a digest": lambda f: f.with_signature(hashlib.sha512(f.good.encode()).digest()),
    "over other claims": lambda f: ".".join(
        [f.segments[0], encode_segment(dumped(f.claims | {"exp": f.seconds(days=80)})), f.segments[2]]
    ),
    "over another header": lambda f: ".".join(
        [encode_segment(dumped(dict(reversed(f.header.items())))), *f.segments[1:]]
    ),
}
