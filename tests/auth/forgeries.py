"""Tokens that must open nothing: malformed, forged, or signed by us over something we never issue.

Each family is a function of a `Forge`, which holds the real keys: what a signature alone cannot stop is
signed for real, so that the test shows the other checks at work.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from auth.crypto.keys import public_jwk
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


def _last_bits(segment: str) -> str:
    """Another spelling that a lax decoder reads as the same bytes."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return segment[:-1] + alphabet[alphabet.index(segment[-1]) + 1]


def _repeated(value: dict[str, object], name: str, other: object) -> bytes:
    return dumped(value)[:-1] + f",{json.dumps(name)}:{json.dumps(other)}}}".encode()


def _replaced(value: dict[str, object], name: str, literal: str) -> bytes:
    return dumped(value | {name: "@@"}).replace(b'"@@"', literal.encode())


Family = Callable[[Forge], str]

SHAPES: dict[str, Family] = {
    "nothing": lambda f: "",
    "one segment": lambda f: f.segments[1],
    "two segments": lambda f: ".".join(f.segments[:2]),
    "four segments": lambda f: f"{f.good}.{f.segments[2]}",
    "five segments, as in JWE": lambda f: f"{f.good}.AAAA.AAAA",
    "only dots": lambda f: "..",
    "an empty header": lambda f: f".{f.segments[1]}.{f.segments[2]}",
    "a detached payload": lambda f: f"{f.segments[0]}..{f.segments[2]}",
    "no signature": lambda f: f"{f.segments[0]}.{f.segments[1]}.",
    "a space before": lambda f: f" {f.good}",
    "a line break after": lambda f: f"{f.good}\n",
    "a NUL after": lambda f: f"{f.good}\0",
    "a NUL within": lambda f: f.good[:50] + "\0" + f.good[51:],
    "the word Bearer": lambda f: f"Bearer {f.good}",
    "two tokens": lambda f: f"{f.good},{f.good}",
    "padding": lambda f: f"{f.segments[0]}=.{f.segments[1]}.{f.segments[2]}",
    "padding of the signature": lambda f: f"{f.good}==",
    "the alphabet of plain base64": lambda f: f.good.replace("-", "+").replace("_", "/") + "+/",
    "a line break in the payload": lambda f: (
        f"{f.segments[0]}.{f.segments[1][:9]}\n{f.segments[1][9:]}.{f.segments[2]}"
    ),
    "letters beyond ASCII": lambda f: f.good.replace("e", "е"),
    "digits beyond ASCII": lambda f: f.good[:-1] + "٣",
    "a lone surrogate": lambda f: f.good[:-1] + "\ud800",
    "upper case": lambda f: f.good.upper(),
    "a last letter with other spare bits": lambda f: _last_bits(f.good),
    "a header with other spare bits": lambda f: _respelled(f, 0),
    "a payload with other spare bits": lambda f: _respelled(f, 1),
    "a million letters": lambda f: "A" * 1_000_000,
    "a million dots": lambda f: "." * 1_000_000,
    "5,000 letters, well signed": lambda f: f.with_claims(scope="x" * 5000),
    "half a token": lambda f: f.good[: len(f.good) // 2],
}


def _respelled(forge: Forge, place: int) -> str:
    """Signed over a spelling that decodes to the same bytes but is not the canonical one."""
    segments = forge.segments[:2]
    data = decode_segment(segments[place])
    while len(data) % 3 == 0:  # spare bits exist only then
        value = json.loads(data)
        data = dumped(value | {"kid" if place == 0 else "label": "x" * (len(data) % 7 + 1)})
    segments[place] = _last_bits(encode_segment(data))
    signing_input = ".".join(segments)
    return f"{signing_input}.{encode_segment(es256(forge.private, signing_input.encode()))}"


HEADERS: dict[str, Family] = {
    **{
        f"alg {alg} without a signature": lambda f, alg=alg: (
            f"{encode_segment(dumped(f.header | {'alg': alg}))}.{f.segments[1]}."
        )
        for alg in ("none", "None", "NONE", "nOnE", "")
    },
    "alg none with a signature": lambda f: f.with_header(alg="none"),
    "HS256 with the public key as its secret": lambda f: f.with_hmac(
        f.public_pem.encode(), "HS256", "sha256"
    ),
    "HS256 with the stripped public key": lambda f: f.with_hmac(
        f.public_pem.strip().encode(), "HS256", "sha256"
    ),
    "HS256 with the public JWK": lambda f: f.with_hmac(
        dumped(public_jwk(str(f.header["kid"]), f.public_pem)), "HS256", "sha256"
    ),
    "HS256 with the kid": lambda f: f.with_hmac(str(f.header["kid"]).encode(), "HS256", "sha256"),
    "HS256 with nothing": lambda f: f.with_hmac(b"", "HS256", "sha256"),
    "HS384": lambda f: f.with_hmac(f.public_pem.encode(), "HS384", "sha384"),
    "HS512, of the length of ours": lambda f: f.with_hmac(f.public_pem.encode(), "HS512", "sha512"),
    **{
        f"alg {alg}": lambda f, alg=alg: f.with_header(alg=alg)
        for alg in ("es256", "ES384", "ES512", "ES256K", "RS256", "PS256", "EdDSA", "dir", "A128KW", "ES256 ")
    },
    "no alg": lambda f: f.without_header("alg"),
    "alg null": lambda f: f.with_header(alg=None),
    "alg a list": lambda f: f.with_header(alg=["ES256"]),
    "alg an object": lambda f: f.with_header(alg={"ES256": 1}),
    "alg a number": lambda f: f.with_header(alg=256),
    "alg true": lambda f: f.with_header(alg=True),
    "no typ": lambda f: f.without_header("typ"),
    **{
        f"typ {typ!r}": lambda f, typ=typ: f.with_header(typ=typ)
        for typ in ("JWT", "AT+JWT", "application/at+jwt", "release+jws", "", None, 1, ["at+jwt"])
    },
    "crit": lambda f: f.with_header(crit=["exp"], exp=1),
    "an empty crit": lambda f: f.with_header(crit=[]),
    "b64 false": lambda f: f.with_header(b64=False, crit=["b64"]),
    "b64 true": lambda f: f.with_header(b64=True),
    "jku": lambda f: f.with_header(jku="https://forger.example/jwks.json"),
    "x5u": lambda f: f.with_header(x5u="https://forger.example/chain.pem"),
    "x5c": lambda f: f.with_header(x5c=["AAAA"]),
    "cty": lambda f: f.with_header(cty="JWT"),
    "zip": lambda f: f.with_header(zip="DEF"),
    "enc": lambda f: f.with_header(enc="A256GCM"),
    "a key of the forger's in jwk": lambda f: _own_jwk(f),
    "no kid": lambda f: f.without_header("kid"),
    **{
        f"kid {str(kid)[:24]!r}": lambda f, kid=kid: f.with_header(kid=kid)
        for kid in (
            "",
            "0" * 16,
            "../../../../dev/null",
            "' OR 1=1 --",
            "\0" * 16,
            "\ud800" * 16,
            "k" * 3000,
            None,
            1,
            True,
            [],
            {},
            ["0" * 16],
        )
    },
    "kid in upper case": lambda f: f.with_header(kid=str(f.header["kid"]).upper() + "A"),
    "kid with a line break": lambda f: f.with_header(kid=f"{f.header['kid']}\n"),
    "kid as a list": lambda f: f.with_header(kid=[f.header["kid"]]),
    "kid of the release key, signed by it": lambda f: f.signed(
        dumped(f.header | {"kid": f.release_kid}), dumped(f.claims), f.release_private
    ),
    "kid of ours, signed by the release key": lambda f: f.signed(
        dumped(f.header), dumped(f.claims), f.release_private
    ),
    "kid twice": lambda f: f.with_raw_header(_repeated(f.header, "kid", f.header["kid"])),
    "alg twice": lambda f: f.with_raw_header(_repeated(f.header, "alg", "none")),
    "alg twice, once escaped": lambda f: f.with_raw_header(dumped(f.header)[:-1] + b',"\\u0061lg":"none"}'),
    "a header that is an array": lambda f: f.with_raw_header(b'["ES256"]'),
    "a header that is a text": lambda f: f.with_raw_header(b'"ES256"'),
    "a header that is a number": lambda f: f.with_raw_header(b"1"),
    "a header that is null": lambda f: f.with_raw_header(b"null"),
    "an empty object": lambda f: f.with_raw_header(b"{}"),
    "a header that is no JSON": lambda f: f.with_raw_header(b"{alg:ES256}"),
    "a header cut short": lambda f: f.with_raw_header(dumped(f.header)[:-1]),
    "a header with more after it": lambda f: f.with_raw_header(dumped(f.header) + b"{}"),
    "a header with a byte order mark": lambda f: f.with_raw_header(b"\xef\xbb\xbf" + dumped(f.header)),
    "a header in UTF-16": lambda f: f.with_raw_header(dumped(f.header).decode().encode("utf-16")),
    "a header that is not UTF-8": lambda f: f.with_raw_header(b'{"alg":"\xff"}'),
    "a header nested 900 deep": lambda f: f.with_raw_header(b"[" * 900 + b"]" * 900),
}


def _own_jwk(forge: Forge) -> str:
    own = ec.generate_private_key(ec.SECP256R1())
    numbers = own.public_key().public_numbers()
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "x": encode_segment(numbers.x.to_bytes(32, "big")),
        "y": encode_segment(numbers.y.to_bytes(32, "big")),
    }
    return forge.signed(dumped(forge.header | {"jwk": jwk}), dumped(forge.claims), own)


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

CLAIMS: dict[str, Family] = {
    **{
        f"no {name}": lambda f, name=name: f.without_claim(name)
        for name in ("iss", "aud", "sub", "client_id", "jti", "scope", "iat", "nbf", "exp")
    },
    **{
        f"{name} null": lambda f, name=name: f.with_claims(**{name: None})
        for name in ("iss", "aud", "sub", "client_id", "jti", "scope", "iat", "nbf", "exp")
    },
    **{
        f"{name} {literal[:12]}": lambda f, name=name, literal=literal: f.with_payload(
            _replaced(f.claims, name, literal)
        )
        for name in ("iat", "nbf", "exp")
        for literal in (
            "NaN",
            "Infinity",
            "-Infinity",
            "1e30",
            "1" + "0" * 30,
            "9" * 4000,
            "999999999999",
            "-1",
            "1.5",
            "4e9",
            '"4000000000"',
            "true",
            "[4000000000]",
            "{}",
        )
    },
    "expired long ago": lambda f: f.with_claims(exp=f.seconds(days=-1), iat=f.seconds(days=-9), nbf=0),
    "expired this second": lambda f: f.with_claims(exp=f.seconds()),
    "issued tomorrow": lambda f: f.with_claims(iat=f.seconds(days=1), nbf=f.seconds(days=1)),
    "not before tomorrow": lambda f: f.with_claims(nbf=f.seconds(days=1)),
    "not before it was issued": lambda f: f.with_claims(nbf=f.seconds(days=-1)),
    "a life of two years": lambda f: f.with_claims(exp=f.seconds(days=730)),
    "an end before its beginning": lambda f: f.with_claims(exp=0),
    "a later end than in the registry": lambda f: f.with_claims(exp=f.seconds(days=91)),
    "an earlier beginning": lambda f: f.with_claims(iat=f.seconds(days=-1)),
    "another issuer": lambda f: f.with_claims(iss="https://forger.example"),
    "our issuer with a slash": lambda f: f.with_claims(iss=f"{f.claims['iss']}/"),
    "our issuer in a list": lambda f: f.with_claims(iss=[f.claims["iss"]]),
    "another audience": lambda f: f.with_claims(aud="another"),
    "ours among other audiences": lambda f: f.with_claims(aud=["another", f.claims["aud"]]),
    "no audience in a list": lambda f: f.with_claims(aud=[]),
    "an empty sub": lambda f: f.with_claims(sub=""),
    "another person": lambda f: f.with_claims(sub="res_aaaaaaaaaaaaaaaa"),
    "another project": lambda f: f.with_claims(client_id="prj_aaaaaaaaaaaaaaaa"),
    "an empty jti": lambda f: f.with_claims(jti=""),
    "an unknown jti": lambda f: f.with_claims(jti="tok_" + "a" * 26),
    "a jti of SQL": lambda f: f.with_claims(jti="' OR 1=1 --"),
    "a jti with NUL": lambda f: f.with_claims(jti="tok_" + "\0" * 26),
    "a jti of surrogates": lambda f: f.with_claims(jti="tok_" + "\ud800" * 26),
    "a jti with a line break": lambda f: f.with_claims(jti=f"{f.claims['jti']}\n"),
    "a jti in a list": lambda f: f.with_claims(jti=[f.claims["jti"]]),
    "more scopes than the registry says": lambda f: f.with_claims(scope=f"{f.claims['scope']} reports:read"),
    "scopes in another order": lambda f: f.with_claims(
        scope=" ".join(reversed(str(f.claims["scope"]).split()))
    ),
    "scopes in a list": lambda f: f.with_claims(scope=["ads:read"]),
    "no scopes": lambda f: f.with_claims(scope=""),
    "another claim": lambda f: f.with_claims(admin=True),
    "exp twice": lambda f: f.with_payload(_repeated(f.claims, "exp", f.seconds(days=300))),
    "jti twice": lambda f: f.with_payload(_repeated(f.claims, "jti", f.claims["jti"])),
    "claims that are an array": lambda f: f.with_payload(b"[]"),
    "claims that are a text": lambda f: f.with_payload(b'"exp"'),
    "claims that are no JSON": lambda f: f.with_payload(b"exp=4000000000"),
    "claims that are not UTF-8": lambda f: f.with_payload(b'{"iss":"\xff\xfe"}'),
    "claims nested 1,400 deep": lambda f: f.with_payload(b"[" * 1400 + b"]" * 1400),
    "objects nested 400 deep": lambda f: f.with_payload(b'{"a":' * 400 + b"1" + b"}" * 400),
}

FORGERIES: dict[str, Family] = {
    f"{kind}: {name}": family
    for kind, families in (
        ("shape", SHAPES),
        ("header", HEADERS),
        ("signature", SIGNATURES),
        ("claims", CLAIMS),
    )
    for name, family in families.items()
}

KNOWN_TO_THE_REGISTRY_ALONE = {
    f"claims: {name}"
    for name in (
        "a later end than in the registry",
        "an earlier beginning",
        "an empty sub",
        "another person",
        "another project",
        "an unknown jti",
        "more scopes than the registry says",
        "scopes in another order",
        "no scopes",
    )
}
