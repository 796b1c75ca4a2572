"""Only a token that was issued here is accepted, and no text makes the verification raise another error."""

from __future__ import annotations

from collections.abc import Iterator

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given, settings
from hypothesis import strategies as st

from auth.crypto.keys import private_key_file
from auth.errors import TokenRefused
from auth.registry import Registry, open_registry
from tests.auth.conftest import BACKENDS, NOW, MakeSettings, ask, mandate, new_member, new_project
from tests.auth.forgeries import FORGERIES, KNOWN_TO_THE_REGISTRY_ALONE
from tests.auth.forgeries.forge import Forge, mirrored, read_elliptic_key


@pytest.fixture(scope="module", params=BACKENDS)
def opened(
    request: pytest.FixtureRequest, new_settings: MakeSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Registry]:
    registry = open_registry(new_settings(request.param, tmp_path_factory.mktemp("forged") / "home"))
    registry.projects.create(new_project(), mandate())
    registry.projects.add_member(new_member(), mandate())
    yield registry
    registry.close()


@pytest.fixture(scope="module")
def forge(opened: Registry) -> Forge:
    good = opened.tokens.issue(ask(), mandate()).text
    active = {key.purpose: key for key in opened.keys.list() if key.status == "active"}
    private = {
        purpose: read_elliptic_key(private_key_file(opened.settings.keys_dir, key.kid))
        for purpose, key in active.items()
    }
    return Forge(
        good=good,
        private=private["token"],
        public_pem=active["token"].public_pem,
        release_kid=active["release"].kid,
        release_private=private["release"],
        now=NOW,
    )


def test_the_token_that_the_forgeries_are_made_from_is_valid(opened, forge):
    assert opened.authenticator.principal(forge.good, NOW)
    assert opened.authenticator.principal(forge.with_claims(), NOW), (
        "signed again by the forge, it is valid too"
    )


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_refused(opened, forge, name):
    text = FORGERIES[name](forge)
    assert text != forge.good
    with pytest.raises(TokenRefused) as refused:
        opened.authenticator.principal(text, NOW)
    assert forge.segments[1] not in refused.value.cause
    # the text alone gives away all but what only the registry can know
    assert refused.value.cause.startswith("registry: ") == (name in KNOWN_TO_THE_REGISTRY_ALONE)


def test_there_are_many_families():
    assert len(FORGERIES) >= 150


@given(st.data())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_an_altered_token_is_refused(opened, forge, data):
    place = data.draw(st.integers(0, len(forge.good) - 1))
    cut = data.draw(st.integers(0, 3))
    put = data.draw(st.text(max_size=3) | st.text("AZaz09-_.=", max_size=3))
    text = forge.good[:place] + put + forge.good[place + cut :]
    if text != forge.good:
        with pytest.raises(TokenRefused):
            opened.authenticator.principal(text, NOW)


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}", fullmatch=True))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_other_text_is_refused(opened, text):
    with pytest.raises(TokenRefused):
        opened.authenticator.principal(text, NOW)


def test_a_token_with_its_mirrored_signature_is_revoked_with_it(opened, forge):
    """ECDSA has two signatures over the same bytes; it does not matter, since the jti is looked up."""
    issued = opened.tokens.issue(ask(), mandate())
    twin = mirrored(Forge(**(vars(forge) | {"good": issued.text})))
    assert opened.authenticator.principal(twin, NOW).token_id == issued.token_id
    opened.tokens.revoke(issued.token_id, mandate())
    for text in (issued.text, twin):
        with pytest.raises(TokenRefused):
            opened.authenticator.principal(text, NOW)


def test_another_library_reads_our_tokens_with_the_same_claims(opened, forge):
    (ours,) = [key for key in opened.keys.jwks()["keys"] if key["kid"] == forge.header["kid"]]
    claims = jwt.decode(
        forge.good,
        jwt.PyJWK.from_dict(ours).key,
        algorithms=["ES256"],
        audience="daylight",
        issuer="https://daylight.local",
        options={"verify_exp": False, "verify_iat": False, "verify_nbf": False, "require": ["jti", "sub"]},
    )
    assert claims == forge.claims
    assert jwt.get_unverified_header(forge.good) == {
        "alg": "ES256",
        "typ": "at+jwt",
        "kid": ours["kid"],
    }


def test_a_token_signed_by_another_library_is_read_by_us(opened, forge):
    text = jwt.encode(forge.claims, forge.private, "ES256", headers=forge.header)
    assert text != forge.good
    assert opened.authenticator.principal(text, NOW) == opened.authenticator.principal(forge.good, NOW)


def test_the_public_key_in_the_registry_belongs_to_the_private_key_in_the_file(forge):
    assert load_pem_public_key(forge.public_pem.encode()) == forge.private.public_key()
