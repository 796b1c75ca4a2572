"""Whether what is published is what was signed, and whether the ledger knows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from datasets.build.ledger_store import LedgerStore
from datasets.privacy.ledger import Entry, LedgerBroken, ensure_chain
from datasets.privacy.zcdp import nano_rho
from datasets.release import layout
from datasets.release.manifest import Manifest, parse_manifest
from datasets.release.verification import verified_manifest


def ensure_releases(root: Path, verify: Callable[[bytes, str], None], ledger: LedgerStore) -> int:
    """Check signature, files and ledger entry of every release; gives their number.

    Raises ReleaseDamaged or LedgerBroken, naming the first release that is wrong.
    """
    entries = _sound(ledger)
    number = 0
    for folder in _folders(root):
        _ensure_known(verified_manifest(folder, verify), folder, entries)
        number += 1
    return number


def ensure_ledger_matches(root: Path, ledger: LedgerStore) -> int:
    """Check the chain and its caps, that every release is in it, and that every committed release is there.

    Gives the number of entries. Raises LedgerBroken, naming the entry or the release that is wrong.
    """
    entries = _sound(ledger)
    there = {(folder.parent.name, folder.name) for folder in _folders(root)}
    for entry in entries:
        if entry.state == "committed" and (entry.dataset, entry.release) not in there:
            raise LedgerBroken(
                f"release {entry.dataset} {entry.release}: entry {entry.seq} committed it; it is gone"
            )
    for folder in _folders(root):
        _ensure_known(parse_manifest((folder / layout.MANIFEST).read_bytes()), folder, entries)
    return len(entries)


def _sound(ledger: LedgerStore) -> tuple[Entry, ...]:
    entries = ledger.entries()
    ensure_chain(entries, ledger.caps)
    return entries


def _folders(root: Path) -> Iterator[Path]:
    for dataset in sorted(path.name for path in root.iterdir()) if root.is_dir() else ():
        for name in layout.release_names(root, dataset):
            yield layout.release_folder(root, dataset, name)


def _ensure_known(manifest: Manifest, folder: Path, entries: tuple[Entry, ...]) -> None:
    """A release's ledger entry is there, unchanged, of the same dataset and month, and spends no less than it says."""
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
