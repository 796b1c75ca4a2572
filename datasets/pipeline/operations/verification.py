"""Verification: every published file is as it was signed, and releases and ledger agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.privacy.ledger import Entry, LedgerBroken, ensure_chain
from datasets.privacy.zcdp import nano_rho
from datasets.release.format import layout
from datasets.release.format.errata import read_erratum
from datasets.release.format.ledger import entries_of, published_ledger
from datasets.release.format.manifest import Manifest, ManifestMalformed
from datasets.release.format.rollbacks import read_rollback
from datasets.release.format.verification import ReleaseDamaged, Verify, signed_manifest, verified_manifest
from datasets.release.store.history import ReleaseHistory


def ensure_releases(root: Path, verify: Callable[[bytes, str], None], ledger: LedgerStore) -> int:
    """Check every release, pointer, erratum and rollback, with signatures and hashes, and the ledger entry of each release.

    Returns the number of releases. Raises ReleaseDamaged or LedgerBroken, which name the first problem found.
    """
    entries = _verified_entries(ledger)
    _ensure_extends_published(root, verify, entries)
    manifests = []
    for folder in _release_folders(root):
        manifests.append(verified_manifest(folder, verify))
        _ensure_in_ledger(manifests[-1], folder, entries)
    _ensure_one_release_per_reservation(manifests, entries)
    for folder in _dataset_folders(root):
        _ensure_pointers_and_records(folder, verify)
    return len(manifests)


def ensure_ledger_matches(root: Path, verify: Verify, ledger: LedgerStore) -> int:
    """Check the ledger: its chain of hashes and its caps, that it still contains every published entry and the entry of every
    release, and that every committed release exists.

    Returns the number of entries. Raises LedgerBroken or ReleaseDamaged, which name the entry or the release.
    """
    entries = _verified_entries(ledger)
    _ensure_extends_published(root, verify, entries)
    there = {(folder.parent.name, folder.name) for folder in _release_folders(root)}
    for entry in entries:
        if entry.state == "committed" and (entry.dataset, entry.release) not in there:
            raise LedgerBroken(
                f"release {entry.dataset} {entry.release}: entry {entry.seq} committed it; it is gone"
            )
    manifests = []
    for folder in _release_folders(root):
        manifests.append(signed_manifest(folder, verify))
        _ensure_in_ledger(manifests[-1], folder, entries)
    _ensure_one_release_per_reservation(manifests, entries)
    return len(entries)


def ensure_ledger_complete(root: Path, verify: Verify, ledger: LedgerStore) -> None:
    """Raises LedgerBroken if the ledger lacks anything that was published: with a ledger that was set back, a month could be
    spent twice.

    Damaged releases are skipped, since they prove nothing and must not prevent their correction from being built.
    """
    entries = _verified_entries(ledger)
    with suppress(ReleaseDamaged):
        _ensure_extends_published(root, verify, entries)
    for folder in _release_folders(root):
        with suppress(ReleaseDamaged, ManifestMalformed, OSError):
            _ensure_in_ledger(signed_manifest(folder, verify), folder, entries)


def _ensure_extends_published(root: Path, verify: Verify, entries: tuple[Entry, ...]) -> None:
    """Raises LedgerBroken if the published ledger is not a prefix of this one, ReleaseDamaged if its signature is wrong."""
    found = published_ledger(root, verify)
    published = entries_of(found) if found else ()
    if entries[: len(published)] != published:
        raise LedgerBroken(
            f"the ledger was published with {len(published)} entries, of which this one lacks some or has others: it "
            "was set back, cut, or is another's; restore it before anything is built"
        )


def _ensure_pointers_and_records(folder: Path, verify: Verify) -> None:
    """Raises ReleaseDamaged if a pointer of a dataset differs from the signed documents, or if an erratum or a rollback is
    not as it was signed."""
    current = ReleaseHistory(folder.parent, verify).current(folder.name)
    for month in layout.released_months(folder.parent, folder.name):
        pointer = layout.pointer_file(folder.parent, folder.name, month)
        name = "" if pointer.is_symlink() else pointer.read_text(errors="replace")
        if name.strip() not in layout.release_names(folder.parent, folder.name) or not name.startswith(
            f"{month}."
        ):
            raise ReleaseDamaged(f"the pointer {pointer.name} is a link, or names no release of its month")
        if name.strip() != current.get(month):
            raise ReleaseDamaged(
                f"the pointer {pointer.name} names {name.strip()}, but {current.get(month, 'no release')} was published or "
                "rolled back to last; daylight ledger publish completes what was interrupted"
            )
    for path in sorted(folder.glob("*.erratum")):
        read_erratum(folder.parent, folder.name, path.stem, verify)
    for path in layout.rollback_files(folder.parent, folder.name):
        read_rollback(path, verify)


def _verified_entries(ledger: LedgerStore) -> tuple[Entry, ...]:
    entries = ledger.entries()
    ensure_chain(entries, ledger.caps)
    return entries


def _dataset_folders(root: Path) -> list[Path]:
    found = root.iterdir() if root.is_dir() else ()
    return sorted(path for path in found if path.is_dir() and not path.name.startswith("."))


def _release_folders(root: Path) -> Iterator[Path]:
    for folder in _dataset_folders(root):
        for name in layout.release_names(root, folder.name):
            yield layout.release_folder(root, folder.name, name)


def _ensure_in_ledger(manifest: Manifest, folder: Path, entries: tuple[Entry, ...]) -> None:
    """Raises LedgerBroken if a release's ledger entry is missing, changed, of another dataset or month, or spends too
    little."""
    where = f"release {manifest.dataset} {manifest.release}"
    seq = manifest.ledger.seq
    if not 1 <= seq <= len(entries) or entries[seq - 1].hash != manifest.ledger.head:
        raise LedgerBroken(
            f"{where}: was made from ledger entry {seq}, which is missing or was changed since"
        )
    entry = entries[seq - 1]
    if (entry.dataset, entry.month) != (manifest.dataset, manifest.month) or entry.nano_rho < nano_rho(
        manifest.rho
    ):
        raise LedgerBroken(
            f"{where}: costs {manifest.privacy.rho} rho, which ledger entry {seq} did not reserve for it"
        )
    committed = [e for e in entries if e.of == seq and e.state == "committed"]
    if committed and committed[0].artefact_hash != layout.sha256_of(folder / layout.MANIFEST):
        raise LedgerBroken(
            f"{where}: its manifest is not the one that ledger entry {committed[0].seq} committed"
        )


def _ensure_one_release_per_reservation(manifests: Iterable[Manifest], entries: tuple[Entry, ...]) -> None:
    """Raises LedgerBroken if a release was made from a void reservation, two releases from the same one, or the ledger
    committed a reservation under the name of another release."""
    void = {entry.of: entry.seq for entry in entries if entry.state == "void"}
    made: dict[int, str] = {}
    for manifest in manifests:
        seq, release = manifest.ledger.seq, f"{manifest.dataset} {manifest.release}"
        if seq in void:
            raise LedgerBroken(
                f"release {release}: was made from ledger entry {seq}, which entry {void[seq]} declares void"
            )
        if seq in made:
            raise LedgerBroken(
                f"release {release}: was made from ledger entry {seq}, and so was {made[seq]}; a reservation allows one"
            )
        made[seq] = release
    made_from = {release: seq for seq, release in made.items()}
    for entry in entries:
        named = f"{entry.dataset} {entry.release}"
        seq = made_from.get(named, entry.of or 0)
        if entry.state == "committed" and seq != entry.of:
            raise LedgerBroken(
                f"release {named}: was made from ledger entry {seq}, but entry {entry.seq} committed that name for entry "
                f"{entry.of}; it is another release than was published under that name"
            )
