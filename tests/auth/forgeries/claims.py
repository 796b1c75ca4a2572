"""Tokens with claims that we never issue, signed with the real key."""

from __future__ import annotations

from operator import methodcaller

from tests.auth.forgeries.forge import Family, with_literal, with_repeated_member


def claiming_literal(name: str, literal: str) -> Family:
    return lambda f: f.with_payload(with_literal(f.claims, name, literal))


CLAIMS: dict[str, Family] = {
    **{
        f"no {name}": methodcaller("without_claim", name)
        for name in ("iss", "aud", "sub", "client_id", "jti", "scope", "iat", "nbf", "exp")
    },
    **{
        f"{name} null": methodcaller("with_claims", **{name: None})
        for name in ("iss", "aud", "sub", "client_id", "jti", "scope", "iat", "nbf", "exp")
    },
    **{
        f"{name} {literal[:12]}": claiming_literal(name, literal)
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
    "exp twice": lambda f: f.with_payload(with_repeated_member(f.claims, "exp", f.seconds(days=300))),
    "jti twice": lambda f: f.with_payload(with_repeated_member(f.claims, "jti", f.claims["jti"])),
    "claims that are an array": lambda f: f.with_payload(b"[]"),
    "claims that are a text": lambda f: f.with_payload(b'"exp"'),
    "claims that are no JSON": lambda f: f.with_payload(b"exp=4000000000"),
    "claims that are not UTF-8": lambda f: f.with_payload(b'{"iss":"\xff\xfe"}'),
    "claims nested 1,400 deep": lambda f: f.with_payload(b"[" * 1400 + b"]" * 1400),
    "objects nested 400 deep": lambda f: f.with_payload(b'{"a":' * 400 + b"1" + b"}" * 400),
}
