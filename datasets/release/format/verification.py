"""Verification of a release: its signature, its files and its codebook, checked before anything in it is used."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from datasets.refusal import Refusal, printable
from datasets.release.format import layout
from datasets.release.format.codebook import Codebook
from datasets.release.format.manifest import Manifest, parse_manifest

Verify = Callable[[bytes, str], None]
"""Raises an exception if a detached signature is not that of these bytes."""

_MAX_MANIFEST_BYTES = 64 << 20


class ReleaseDamaged(Refusal):
    """A release that is not what was signed; the message names the first file that is wrong."""


class ReleaseUnavailable(Refusal):
    """What was released cannot be served at the moment."""


def verified_manifest(folder: Path, verify: Verify) -> Manifest:
    """The manifest of the release in `folder`, after its signature and all its files have been checked.

    Raises ReleaseDamaged. Links are not followed: nothing outside of the folder belongs to a release.
    """
    manifest = signed_manifest(folder, verify)
    for entry in manifest.files:
        path = _regular_file(folder / entry.name)
        if path.stat().st_size != entry.bytes or layout.sha256_of(path) != entry.sha256:
            raise ReleaseDamaged(f"release {folder.name}: {entry.name} is not the file that was signed")
    if {layout.CELLS, layout.CODEBOOK} - {entry.name for entry in manifest.files}:
        raise ReleaseDamaged(
            f"release {folder.name}: its manifest names no {layout.CELLS} or no {layout.CODEBOOK}"
        )
    return manifest


def signed_manifest(folder: Path, verify: Verify) -> Manifest:
    """The manifest of the release in `folder`, after its signature and its name have been checked.

    Raises ReleaseDamaged.
    """
    if folder.parent.is_symlink() or folder.is_symlink() or not folder.is_dir():
        raise ReleaseDamaged(f"release {folder.name}: its folder is missing or a link")
    manifest = _read_signed_manifest(folder, verify)
    if manifest.release != folder.name or manifest.dataset != folder.parent.name:
        raise ReleaseDamaged(
            f"release {folder.name}: its manifest is that of {manifest.dataset} {manifest.release}"
        )
    if manifest.release != layout.release_name(manifest.month, manifest.revision):
        raise ReleaseDamaged(f"release {folder.name}: it is not named after its month and revision")
    return manifest


def verified_codebook(folder: Path, manifest: Manifest) -> Codebook:
    """The codebook of a release whose manifest has been verified; it is read once, so what is checked is what is used.

    Raises ReleaseDamaged if it is not the file that was signed, or is that of something else.
    """
    text = _regular_file(folder / layout.CODEBOOK).read_bytes()
    signed = {entry.name: entry.sha256 for entry in manifest.files}
    if hashlib.sha256(text).hexdigest() != signed.get(layout.CODEBOOK):
        raise ReleaseDamaged(f"release {folder.name}: {layout.CODEBOOK} is not the file that was signed")
    try:
        book = Codebook.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole document"
        raise ReleaseDamaged(
            f"release {folder.name}: its codebook is malformed at {printable(place)}"
        ) from None
    if (book.dataset, book.month, book.version) != (
        manifest.dataset,
        manifest.month,
        manifest.dataset_version,
    ):
        raise ReleaseDamaged(
            f"release {folder.name}: its codebook is that of {book.dataset} {book.month}, version {book.version}"
        )
    return book


def _read_signed_manifest(folder: Path, verify: Verify) -> Manifest:
    path = _regular_file(folder / layout.MANIFEST)
    if path.stat().st_size > _MAX_MANIFEST_BYTES:
        raise ReleaseDamaged(f"release {folder.name}: its manifest is larger than any that is written")
    text = path.read_bytes()
    try:
        verify(text, _regular_file(folder / layout.SIGNATURE).read_text().strip())
    except ReleaseDamaged:
        raise
    except Exception as error:
        raise ReleaseDamaged(
            f"release {folder.name}: its manifest does not carry a valid signature"
        ) from error
    return parse_manifest(text)


def _regular_file(path: Path) -> Path:
    if path.is_symlink() or not path.is_file():
        raise ReleaseDamaged(f"release {path.parent.name}: {path.name} is missing or a link")
    return path
