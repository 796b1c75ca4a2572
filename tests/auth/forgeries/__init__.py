"""Tokens that must be refused: malformed, forged, or signed by us over something that we never issue.

Each family is a function of a `Forge`, which holds the real keys: what a signature alone cannot stop is
signed with the real key, so that the test shows the other checks at work.
"""

from __future__ import annotations

from tests.auth.forgeries.claims import CLAIMS
from tests.auth.forgeries.forge import Family
from tests.auth.forgeries.headers import HEADERS
from tests.auth.forgeries.shapes import SHAPES
from tests.auth.forgeries.signatures import SIGNATURES

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
