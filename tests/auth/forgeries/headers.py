"""Tokens whose header is not one that we write."""

from __future__ import annotations

from operator import methodcaller

from cryptography.hazmat.primitives.asymmetric import ec

from auth.crypto.keys import public_jwk
from auth.crypto.strict_json import encode_segment
from tests.auth.forgeries.forge import Family, Forge, dumped, with_repeated_member


def sign_with_own_jwk(forge: Forge) -> str:
    own = ec.generate_private_key(ec.SECP256R1())
    numbers = own.public_key().public_numbers()
    jwk = {
        "kty": "EC",
        "crv": "P-256",
        "x": encode_segment(numbers.x.to_bytes(32, "big")),
        "y": encode_segment(numbers.y.to_bytes(32, "big")),
    }
    return forge.signed(dumped(forge.header | {"jwk": jwk}), dumped(forge.claims), own)


def without_signature(alg: str) -> Family:
    return lambda f: f"{encode_segment(dumped(f.header | {'alg': alg}))}.{f.segments[1]}."


KIDS: tuple[object, ...] = (
    "", "0" * 16, "../../../../dev/null", "' OR 1=1 --", "\0" * 16, "\ud800" * 16, "k" * 3000, None, 1, True, [], {}, ["0" * 16],
)  # fmt: skip

HEADERS: dict[str, Family] = {
    **{
        f"alg {alg} without a signature": without_signature(alg)
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
        f"alg {alg}": methodcaller("with_header", alg=alg)
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
        f"typ {typ!r}": methodcaller("with_header", typ=typ)
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
    "a key of the forger's in jwk": lambda f: sign_with_own_jwk(f),
    "no kid": lambda f: f.without_header("kid"),
    **{f"kid {str(kid)[:24]!r}": methodcaller("with_header", kid=kid) for kid in KIDS},
    "kid in upper case": lambda f: f.with_header(kid=str(f.header["kid"]).upper() + "A"),
    "kid with a line break": lambda f: f.with_header(kid=f"{f.header['kid']}\n"),
    "kid as a list": lambda f: f.with_header(kid=[f.header["kid"]]),
    "kid of the release key, signed by it": lambda f: f.signed(
        dumped(f.header | {"kid": f.release_kid}), dumped(f.claims), f.release_private
    ),
    "kid of ours, signed by the release key": lambda f: f.signed(
        dumped(f.header), dumped(f.claims), f.release_private
    ),
    "kid twice": lambda f: f.with_raw_header(with_repeated_member(f.header, "kid", f.header["kid"])),
    "alg twice": lambda f: f.with_raw_header(with_repeated_member(f.header, "alg", "none")),
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
