"""Signed documents next to the releases: text and signature are in one file, so that they change together.

The first line is the detached signature (ES256: RFC 7515, appendix F) of exactly the bytes after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from datasets.release.format.verification import ReleaseDamaged, Verify

_MAX_DOCUMENT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A document and its signature."""

    text: bytes
    signature: str


def read_signed(path: Path, verify: Verify) -> SignedDocument:
    """The verified document in a file. Raises ReleaseDamaged if it is a link, too large, or its signature is wrong."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _MAX_DOCUMENT_BYTES:
        raise ReleaseDamaged(f"{path.name} is missing, a link, or larger than any that is written")
    signature, _, text = path.read_bytes().partition(b"\n")
    document = SignedDocument(text, signature.decode("ascii", "replace"))
    try:
        verify(document.text, document.signature)
    except Exception as error:
        raise ReleaseDamaged(f"{path.name} does not carry a valid signature") from error
    return document


def signed_bytes(document: SignedDocument) -> bytes:
    """The contents of the file of a signed document."""
    return document.signature.encode("ascii") + b"\n" + document.text
