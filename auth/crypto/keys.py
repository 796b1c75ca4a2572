"""ES256 keys: generated, stored in files that only their owner can read, and loaded for signing and verifying.

Of python-jose, only `jws.sign` and `jws.verify` are used, with keys that are loaded here: its other functions let the
token choose how it is verified (docs/traps.md#python-jose-jwtdecode-accepts-what-it-must-not).
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwk
from jose.backends.base import Key
from jose.backends.cryptography_backend import CryptographyECKey

from auth.crypto.strict_json import encode_segment
from auth.errors import KeyUnusable

ALGORITHM = "ES256"
Purpose = Literal["token", "release", "audit"]
PURPOSES: tuple[Purpose, ...] = ("token", "release", "audit")


@dataclass(frozen=True)
class Signer:
    """A private key that is ready to sign, and the kid of its public key."""

    kid: str
    key: Key


@dataclass(frozen=True)
class NewKey:
    """A key that was just generated; `private_pem` goes to a file, the rest to the registry."""

    kid: str
    public_pem: str
    private_pem: bytes

    def __repr__(self) -> str:
        return f"NewKey(kid={self.kid!r})"


def ensure_backend() -> None:
    """Raises KeyUnusable if python-jose would use its slow elliptic curves in pure Python."""
    if jwk.get_key(ALGORITHM) is not CryptographyECKey:
        raise KeyUnusable("python-jose does not use the package cryptography; install it.")


def generate_key() -> NewKey:
    """A new P-256 key, from the randomness of the operating system."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key()
    return NewKey(
        kid=thumbprint(public)[:16],
        public_pem=public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode("ascii"),
        private_pem=private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


def thumbprint(public: ec.EllipticCurvePublicKey) -> str:
    """The key's RFC 7638 thumbprint, in hexadecimal. A kid is its first 16 digits."""
    canonical = json.dumps(_coordinates(public), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def public_key(kid: str, pem: str) -> Key:
    """The public key, ready to verify. Raises KeyUnusable unless it is a P-256 key with this kid."""
    _load_public(kid, pem)
    return jwk.construct(pem, ALGORITHM)


def public_jwk(kid: str, pem: str) -> dict[str, str]:
    """The public key as a member of a JWKS, RFC 7517."""
    return {**_coordinates(_load_public(kid, pem)), "kid": kid, "alg": ALGORITHM, "use": "sig"}


def private_key_file(directory: Path, kid: str) -> Path:
    """The path of a private key."""
    return directory / f"{kid}.pem"


def write_private_key(directory: Path, key: NewKey) -> Path:
    """Writes the private key to a new file with mode 0600, with fsync, and returns its path."""
    file = private_key_file(directory, key.kid)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(key.private_pem)
        out.flush()
        os.fsync(out.fileno())
    sync_directory(directory)
    return file


def read_private_key(directory: Path, kid: str) -> Signer:
    """The private key, ready to sign. Raises KeyUnusable if its file is missing, readable by others, or holds another key."""
    file = private_key_file(directory, kid)
    try:
        with file.open("rb") as source:
            mode = os.fstat(source.fileno()).st_mode & 0o777
            pem = source.read(10_000)
    except OSError as error:
        raise KeyUnusable(
            f"DAYLIGHT_KEYS_DIR: {file} cannot be read ({error.strerror}); it must hold the private key {kid} "
            "on the host that signs.",
            parameter="DAYLIGHT_KEYS_DIR",
            value=str(file),
        ) from None
    if mode & 0o077:
        raise KeyUnusable(
            f"DAYLIGHT_KEYS_DIR: {file} has mode {mode:04o} and can be read by others; run chmod 600 on it.",
            parameter="DAYLIGHT_KEYS_DIR",
            value=str(file),
        )
    try:
        private = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or _kid_of(private.public_key()) != kid:
        raise KeyUnusable(
            f"DAYLIGHT_KEYS_DIR: {file} does not hold the private key {kid}; restore the file that was created "
            "with the key.",
            parameter="DAYLIGHT_KEYS_DIR",
            value=str(file),
        )
    return Signer(kid, jwk.construct(pem.decode("ascii"), ALGORITHM))


def sync_directory(directory: Path) -> None:
    """Runs fsync on the directory, so that a new or renamed file survives a power failure."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _load_public(kid: str, pem: str) -> ec.EllipticCurvePublicKey:
    try:
        public = serialization.load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        public = None
    if not isinstance(public, ec.EllipticCurvePublicKey) or _kid_of(public) != kid:
        raise KeyUnusable(f"The registry's public key {kid} is not a P-256 key with that kid.", value=kid)
    return public


def _kid_of(public: ec.EllipticCurvePublicKey) -> str:
    return thumbprint(public)[:16] if isinstance(public.curve, ec.SECP256R1) else ""


def _coordinates(public: ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = public.public_numbers()
    x, y = (encode_segment(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}
