"""Texts that are no JWT of three segments in canonical base64url."""

from __future__ import annotations

import json

from auth.crypto.strict_json import decode_segment, encode_segment
from tests.auth.forgeries.forge import Family, Forge, dumped, es256, with_other_spare_bits


def sign_noncanonical_spelling(forge: Forge, place: int) -> str:
    """Signed over a spelling that decodes to the same bytes but is not the canonical one."""
    segments = forge.segments[:2]
    data = decode_segment(segments[place])
    while len(data) % 3 == 0:  # spare bits exist only then
        value = json.loads(data)
        data = dumped(value | {"kid" if place == 0 else "label": "x" * (len(data) % 7 + 1)})
    segments[place] = with_other_spare_bits(encode_segment(data))
    signing_input = ".".join(segments)
    return f"{signing_input}.{encode_segment(es256(forge.private, signing_input.encode()))}"


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
    "a last letter with other spare bits": lambda f: with_other_spare_bits(f.good),
    "a header with other spare bits": lambda f: sign_noncanonical_spelling(f, 0),
    "a payload with other spare bits": lambda f: sign_noncanonical_spelling(f, 1),
    "a million letters": lambda f: "A" * 1_000_000,
    "a million dots": lambda f: "." * 1_000_000,
    "5,000 letters, well signed": lambda f: f.with_claims(scope="x" * 5000),
    "half a token": lambda f: f.good[: len(f.good) // 2],
}
