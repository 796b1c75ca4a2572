"""Publishing a release: its files are written, signed and tested, and appear to readers all at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.events.source import EventSource
from datasets.pipeline.measurement.noise import NoisyCells
from datasets.pipeline.output.cells import write_cells
from datasets.pipeline.output.manifest import make_manifest
from datasets.pipeline.output.publication import publish_ledger, staging_folder
from datasets.pipeline.output.selftest import ensure_readable
from datasets.pipeline.planning.budget import Budget
from datasets.pipeline.state.context import PUBLISHING, WRITING, BuildContext
from datasets.pipeline.state.failpoints import failpoint
from datasets.pipeline.state.files import flush
from datasets.privacy.ledger import Entry
from datasets.release.format import layout
from datasets.release.format.cells import cells_schema
from datasets.release.format.codebook import codebook_of
from datasets.release.format.manifest import FileEntry, Manifest
from datasets.release.format.timestamps import is_late, release_timestamp
from datasets.release.store.history import ReleaseHistory


def publish_release(
    budget: Budget, cells: NoisyCells, source: EventSource, context: BuildContext, reserved: Entry
) -> Path:
    """Write, sign and test the files of a release, then publish the ledger and the release; returns the release's folder.

    Raises LockLost if the builders' lock was lost meanwhile, SelfTestFailed if the release does not pass its own test.
    """
    dataset, month, root = budget.dataset, budget.month, context.releases
    codebook = codebook_of(dataset, month)
    revision, previous = _next_revision(context, dataset, month)
    name = layout.release_name(month, revision)
    with staging_folder(root, dataset.name, name) as folder:
        context.on_step(WRITING)
        rows = write_cells(folder / layout.CELLS, cells_schema(codebook), budget, cells)
        failpoint("cells written")
        (folder / layout.CODEBOOK).write_text(codebook.text(), encoding="utf-8")
        failpoint("codebook written")
        files = (_file_entry(folder / layout.CELLS, rows), _file_entry(folder / layout.CODEBOOK))
        manifest_at = partial(
            make_manifest, budget, cells, source, revision=revision, previous=previous, reserved=reserved,
            caps=context.ledger.caps, files=files,
        )  # fmt: skip
        published = _sign_and_test(folder, manifest_at, context)
        context.on_step(PUBLISHING)
        context.ledger.ensure_lock_held()
        # the reservation is public before the release is, so that readers find it in the ledger
        publish_ledger(root, context.ledger, context.signer)
        while is_late(published, context.now()):  # no reader has seen the earlier timestamp
            published = _sign_and_test(folder, manifest_at, context)
    return layout.release_folder(root, dataset.name, name)


def _sign_and_test(folder: Path, manifest_at: Callable[..., Manifest], context: BuildContext) -> datetime:
    """Write and sign the manifest of a staged release with the current timestamp, test the release, return the timestamp."""
    record = ReleaseHistory(context.releases, context.signer.verify).timestamp_record(folder.parent.name)
    published = release_timestamp(record.timestamps, context.now(), is_complete=record.is_complete)
    manifest = manifest_at(published=published).canonical()
    (folder / layout.MANIFEST).write_bytes(manifest)
    failpoint("manifest written")
    (folder / layout.SIGNATURE).write_text(context.signer.sign(manifest) + "\n")
    failpoint("signature written")
    ensure_readable(folder, context.signer.verify)
    for path in folder.iterdir():  # now, so that little is left to flush between the timestamp and the rename
        flush(path)
    return published


def _next_revision(context: BuildContext, dataset: Dataset, month: Month) -> tuple[int, str | None]:
    """The revision number of the next release of a month, and the name of the previous release, or None.

    A name is never used twice, since citations refer to it: a release that is in the ledger keeps its name even if its folder
    is gone.
    """
    committed = (entry.release for entry in context.ledger.entries() if entry.dataset == dataset.name)
    names = {*layout.release_names(context.releases, dataset.name), *committed}
    latest = max((int(name.split(".")[1]) for name in names if name.startswith(f"{month}.")), default=0)
    return latest + 1, layout.release_name(month, latest) if latest else None


def _file_entry(path: Path, rows: int | None = None) -> FileEntry:
    return FileEntry(name=path.name, rows=rows, bytes=path.stat().st_size, sha256=layout.sha256_of(path))
