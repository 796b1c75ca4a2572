"""The signature of a text is verified once, and its refusal is not cached."""

from __future__ import annotations

from pathlib import Path

import pytest
from jose.backends.base import Key

from auth.crypto.jwt import Claims, sign_token
from auth.crypto.keys import generate_key, public_key, read_private_key, write_private_key
from auth.crypto.verification_cache import VerificationCache
from auth.errors import TokenRefused

CLAIMS = Claims("daylight", "daylight", "res_a", "prj_a", "tok_a", "moderation:read", 1, 1, 2)


class Keys:
    """A new key, and how often it was looked up."""

    def __init__(self, folder: Path) -> None:
        made = generate_key()
        write_private_key(folder, made)
        self.signer, self.pem = read_private_key(folder, made.kid), made.public_pem
        self.lookups = 0

    def of(self, kid: str) -> Key | None:
        self.lookups += 1
        return public_key(self.signer.kid, self.pem) if kid == self.signer.kid else None

    def text(self, jti: str) -> str:
        return sign_token(
            Claims(**{name: getattr(CLAIMS, name) for name in CLAIMS.__slots__} | {"jti": jti}), self.signer
        )


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


def test_a_text_is_verified_once_and_gives_the_same_claims_again(keys):
    cache, text = VerificationCache(keys.of), keys.text("tok_a")
    assert cache.verify(text) == cache.verify(text) == (keys.signer.kid, CLAIMS)
    assert keys.lookups == 1


def test_a_refused_text_is_verified_and_refused_again(keys):
    cache, text = VerificationCache(keys.of), keys.text("tok_a")[:-4] + "AAAA"
    for tries in (1, 2):
        with pytest.raises(TokenRefused):
            cache.verify(text)
        assert keys.lookups == tries


def test_a_text_that_begins_like_a_valid_one_is_not_taken_for_it(keys):
    cache, text = VerificationCache(keys.of), keys.text("tok_a")
    cache.verify(text)
    for other in (text + "A", text[:-1], text.upper(), text + "=" * 5000):
        with pytest.raises(TokenRefused):
            cache.verify(other)


def test_only_the_texts_that_were_used_last_are_kept(keys):
    cache = VerificationCache(keys.of, size=2)
    first, second, third = (keys.text(f"tok_{name}") for name in "abc")
    for text in (first, second, first, third, first):
        cache.verify(text)
    assert keys.lookups == 3
    cache.verify(second)
    assert keys.lookups == 4
