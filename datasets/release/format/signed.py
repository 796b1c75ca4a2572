"""Signed documents that stand by themselves beside the releases: in one file, so that text and signature change together.

The first line is the detached signature (ES256: RFC 7515, appendix F) of exactly the bytes after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from datasets.release.format.verification import ReleaseDamaged, Verify

_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """A document and its signature, which has been verified."""

    text: bytes
    signature: str


def read_signed(path: Path, verify: Verify) -> SignedDocument:
    """The document in a file. Raises ReleaseDamaged where it is a link, too large, or not what was signed."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
        raise ReleaseDamaged(f"{path.name} is missing, a link, or larger than any that is written")
    signature, _, text = path.read_bytes().partition(b"\n")
    found = SignedDocument(text, signature.decode("ascii", "replace"))
    try:
        verify(found.text, found.signature)
    except Exception as error:
        raise ReleaseDamaged(f"{path.name} does not carry a valid signature") from error
    return found


def signed_bytes(document: SignedDocument) -> bytes:
    """What the file of a signed document holds."""
    return document.signature.encode("ascii") + b"\n" + document.text
