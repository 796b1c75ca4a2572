"""Signing keys are generated, stored, loaded and rotated; and they sign releases."""

from __future__ import annotations

import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jose import jwk

from auth.crypto.jws import sign_detached
from auth.crypto.keys import (
    Purpose,
    Signer,
    ensure_backend,
    generate_key,
    private_key_file,
    public_jwk,
    public_key,
    read_private_key,
    thumbprint,
    write_private_key,
)
from auth.crypto.strict_json import decode_segment, encode_segment
from auth.errors import KeyUnusable, SignatureRefused
from tests.auth.conftest import mandate

MANIFEST = b'{"dataset":"moderation"}'


def test_the_backend_is_the_package_cryptography(monkeypatch):
    ensure_backend()
    monkeypatch.setattr(jwk, "get_key", lambda algorithm: object)
    with pytest.raises(KeyUnusable, match="cryptography"):
        ensure_backend()


def test_a_thumbprint_is_that_of_rfc_7638():
    """Computed by hand from the coordinates of the key in RFC 7517, appendix A.1."""
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(decode_segment("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"), "big"),
        int.from_bytes(decode_segment("4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"), "big"),
        ec.SECP256R1(),
    )
    import hashlib

    canonical = (
        '{"crv":"P-256","kty":"EC","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",'
        '"y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}'
    )
    assert thumbprint(numbers.public_key()) == hashlib.sha256(canonical.encode()).hexdigest()


def test_a_private_key_is_read_back_from_its_file(tmp_path):
    key = generate_key()
    file = write_private_key(tmp_path, key)
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_private_key(tmp_path, key.kid).kid == key.kid
    assert "PRIVATE" not in repr(key)
    with pytest.raises(FileExistsError):
        write_private_key(tmp_path, key)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_private_key_that_others_can_read_or_write_is_refused(tmp_path, mode):
    key = generate_key()
    os.chmod(write_private_key(tmp_path, key), mode)
    with pytest.raises(KeyUnusable, match="chmod 600"):
        read_private_key(tmp_path, key.kid)


def test_a_missing_private_key_or_the_wrong_one_is_refused(tmp_path):
    key, other = generate_key(), generate_key()
    with pytest.raises(KeyUnusable, match="cannot be read"):
        read_private_key(tmp_path, key.kid)
    write_private_key(tmp_path, other).rename(private_key_file(tmp_path, key.kid))
    with pytest.raises(KeyUnusable, match="does not hold"):
        read_private_key(tmp_path, key.kid)
    for content in (b"", b"no key", generate_key().public_pem.encode()):
        private_key_file(tmp_path, key.kid).write_bytes(content)
        with pytest.raises(KeyUnusable, match="does not hold"):
            read_private_key(tmp_path, key.kid)


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP256K1()])
def test_a_key_of_another_curve_is_refused(tmp_path, curve):
    private = ec.generate_private_key(curve)
    kid = "0" * 16
    file = private_key_file(tmp_path, kid)
    file.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file.chmod(0o600)
    with pytest.raises(KeyUnusable):
        read_private_key(tmp_path, kid)
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(KeyUnusable):
        public_key(kid, pem)


def test_a_public_key_with_another_kid_is_refused():
    with pytest.raises(KeyUnusable):
        public_key(generate_key().kid, generate_key().public_pem)


def test_a_published_key_contains_only_its_public_key():
    key = generate_key()
    assert set(public_jwk(key.kid, key.public_pem)) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


# --- the registry's keys ------------------------------------------------------------------------------


def test_the_jwks_names_keys_before_they_sign_and_after(registry):
    before = {key["kid"] for key in registry.keys.jwks()["keys"]}
    assert len(before) == 4, "an active and a next one for tokens and for releases"
    following = next(k.kid for k in registry.keys.list() if (k.purpose, k.status) == ("token", "next"))
    assert registry.keys.rotate("token", mandate()) == following
    after = {key["kid"] for key in registry.keys.jwks()["keys"]}
    assert before < after and len(after) == 5


def test_a_rotation_has_one_active_and_one_next_key_of_each_purpose(registry):
    for purpose in ("token", "release", "audit"):
        registry.keys.rotate(purpose, mandate())
    states = sorted((key.purpose, key.status) for key in registry.keys.list())
    assert states == [(p, s) for p in ("audit", "release", "token") for s in ("active", "next", "retired")]
    assert registry.audit.verify().events == 4


def test_a_key_does_not_become_active_if_its_file_is_missing(registry, settings):
    following = next(k.kid for k in registry.keys.list() if (k.purpose, k.status) == ("token", "next"))
    private_key_file(settings.keys_dir, following).unlink()
    with pytest.raises(KeyUnusable):
        registry.keys.rotate("token", mandate())
    assert {k.status for k in registry.keys.list() if k.purpose == "token"} == {"active", "next"}


def test_a_registry_without_an_active_key_cannot_sign(registry, attacker):
    attacker("UPDATE signing_key SET status = 'retired' WHERE purpose = 'release'", past_triggers=False)
    with pytest.raises(KeyUnusable, match="active key for release"):
        registry.keys.release_signer()


# --- releases -----------------------------------------------------------------------------------------


def test_a_release_is_signed_and_verified(registry):
    signature = registry.keys.release_signer()(MANIFEST)
    assert signature.count(".") == 2 and ".." in signature
    registry.keys.release_verifier()(MANIFEST, signature)


def test_a_release_signed_before_a_rotation_still_verifies(registry):
    signature = registry.keys.release_signer()(MANIFEST)
    registry.keys.rotate("release", mandate())
    verify, following = registry.keys.release_verifier(), registry.keys.release_signer()(MANIFEST)
    assert signature.split(".")[0] != following.split(".")[0], "they name different keys"
    for each in (signature, following):
        verify(MANIFEST, each)
        with pytest.raises(SignatureRefused):
            verify(MANIFEST + b" ", each)


def test_a_release_signed_by_a_revoked_key_is_refused(registry, attacker):
    signature = registry.keys.release_signer()(MANIFEST)
    attacker("UPDATE signing_key SET status = 'revoked' WHERE purpose = 'release'", past_triggers=False)
    with pytest.raises(SignatureRefused):
        registry.keys.release_verifier()(MANIFEST, signature)


def test_a_large_manifest_is_signed(registry):
    manifest = b"x" * 5_000_000
    signature, verify = registry.keys.release_signer()(manifest), registry.keys.release_verifier()
    verify(manifest, signature)
    with pytest.raises(SignatureRefused):
        verify(manifest[:-1] + b"y", signature)


def altered_signatures(signature: str) -> dict[str, str]:
    header, _, proof = signature.split(".")
    plain = decode_segment(header)
    return {
        "nothing": "",
        "no dots": header + proof,
        "four parts": f"{header}...{proof}",
        "the payload inside": f"{header}.{encode_segment(MANIFEST)}.{proof}",
        "no proof": f"{header}..",
        "a shorter proof": f"{header}..{encode_segment(decode_segment(proof)[:-1])}",
        "another proof": f"{header}..{encode_segment(bytes(64))}",
        "a proof with padding": f"{header}..{proof}==",
        "a proof with other spare bits": f"{header}..{proof[:-1]}{'BCDEFGHIJKLMNOPQR'['AQgw'.index(proof[-1])]}",
        "alg none": f"{encode_segment(plain.replace(b'ES256', b'none'))}..{proof}",
        "another typ": f"{encode_segment(plain.replace(b'release+jws', b'audit+jws'))}..{proof}",
        "an unknown kid": f"{encode_segment(plain.replace(plain[23:39], b'0' * 16))}..{proof}",
        "a header in another order": f"{encode_segment(plain.replace(b'{', b'{ '))}..{proof}",
        "a header that is an array": f"{encode_segment(b'[]')}..{proof}",
        "a header without a kid": f"{encode_segment(b'{}')}..{proof}",
        "a header that is no JSON": f"{encode_segment(b'x')}..{proof}",
        "a line break": f"{signature}\n",
        "letters beyond ASCII": signature.replace(".", "。"),
        "a lone surrogate": f"{header}..\ud800{proof}",
        "a million letters": "x" * 1_000_000,
    }


def test_an_altered_signature_is_refused_without_another_error(registry):
    signature = registry.keys.release_signer()(MANIFEST)
    verify = registry.keys.release_verifier()
    for name, text in altered_signatures(signature).items():
        assert text != signature, name
        with pytest.raises(SignatureRefused):
            verify(MANIFEST, text)
    for payload in (b"", MANIFEST + b" ", MANIFEST[:-1], MANIFEST.replace(b"o", b"O")):
        with pytest.raises(SignatureRefused):
            verify(payload, signature)


def test_a_signature_for_one_purpose_is_not_valid_for_another(registry, settings):
    keys = {key.purpose: key.kid for key in registry.keys.list() if key.status == "active"}
    release = read_private_key(settings.keys_dir, keys["release"])
    audit = read_private_key(settings.keys_dir, keys["audit"])
    verify = registry.keys.release_verifier()
    verify(MANIFEST, sign_detached(MANIFEST, release, "release"))
    wrong: list[tuple[Signer, Purpose]] = [(release, "audit"), (audit, "release"), (audit, "audit")]
    for signer, purpose in wrong:
        with pytest.raises(SignatureRefused):
            verify(MANIFEST, sign_detached(MANIFEST, signer, purpose))
