"""Publication: releases, pointers and signed documents appear to readers atomically.

The files of a release are written to a staging folder on the same file system and flushed to disk; the folder is renamed,
and then the pointer of the month is replaced. A reader sees the old release or the new one, never a part of it.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datasets.pipeline.state.failpoints import failpoint
from datasets.pipeline.state.files import UNFINISHED_NAME, flush, replace_file
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.pipeline.state.lock import releases_marker
from datasets.pipeline.state.signing import ReleaseSigner
from datasets.refusal import Refusal
from datasets.release.format import layout
from datasets.release.format.ledger import ledger_document
from datasets.release.format.signed import SignedDocument, signed_bytes
from datasets.release.format.verification import Verify
from datasets.release.store.history import ReleaseHistory


@contextmanager
def builder_lock(releases: Path, ledger: LedgerStore) -> Iterator[None]:
    """Exclude every other builder with this ledger or this folder of releases. Raises BuildUnderWay."""
    with ledger.builder_lock(), releases_marker(releases, ledger.name):
        yield


@contextmanager
def staging_folder(root: Path, dataset: str, release: str) -> Iterator[Path]:
    """A staging folder for the files of a release, which is renamed into place if the block ends without an error.

    It is inside a folder laid out like that of the releases, so that a reader can open it for a test. It is deleted if the
    block raises.
    """
    final = layout.release_folder(root, dataset, release)
    final.parent.mkdir(parents=True, exist_ok=True)
    staging = root / f".staging-{uuid.uuid4().hex}"
    folder = layout.release_folder(staging, dataset, release)
    folder.mkdir(parents=True)
    try:
        yield folder
        for path in folder.iterdir():
            flush(path)
        flush(folder)
        failpoint("release flushed")
        if final.exists():
            raise Refusal(f"the release {final.name} exists already; releases are never edited")
        folder.rename(final)
        failpoint("release renamed")
        flush(final.parent)
        failpoint("release in place")
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def remove_unfinished(root: Path) -> None:
    """Remove unfinished files and folders of builds that died. The caller holds the builders' lock."""
    datasets = [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    for folder in (root, *datasets):
        for path in folder.iterdir():
            if UNFINISHED_NAME.fullmatch(path.name) and not path.is_symlink():
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)


def write_pointer(pointer: Path, name: str) -> None:
    """Replace the pointer of a month atomically, so that it names another release."""
    replace_file(pointer, f"{name}\n".encode(), "pointer")


def update_pointer(root: Path, dataset: str, month: str, verify: Verify) -> str | None:
    """Make the pointer of a month agree with the signed documents: it names the release that was published or rolled back to
    last and is not withdrawn. Returns that name, or None, without a pointer, if there is no such release."""
    pointer = layout.pointer_file(root, dataset, month)
    current = ReleaseHistory(root, verify).current(dataset).get(month)
    if current is None:
        pointer.unlink(missing_ok=True)
        flush(pointer.parent)
    elif read_pointer(pointer) != current:
        write_pointer(pointer, current)
    return current


def read_pointer(pointer: Path) -> str:
    """The name of the release that a pointer names; empty if there is no pointer."""
    return pointer.read_text().strip() if pointer.is_file() else ""


def publish_signed_document(path: Path, text: bytes, signer: ReleaseSigner, what: str) -> None:
    """Sign a document and publish it atomically, replacing an earlier version. `what` names it in failpoints."""
    signature = signer.sign(text)
    signer.verify(text, signature)
    replace_file(path, signed_bytes(SignedDocument(text, signature)), what)


def publish_ledger(releases: Path, ledger: LedgerStore, signer: ReleaseSigner) -> None:
    """Publish the signed ledger, which readers check releases against."""
    document = ledger_document(ledger.entries(), ledger.caps)
    releases.mkdir(parents=True, exist_ok=True)
    publish_signed_document(layout.ledger_file(releases), document, signer, "ledger")
