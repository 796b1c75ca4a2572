"""The build: raw events of one month in, a signed release out, its privacy spend in the ledger.

The order is what makes it safe. Rows are validated and set aside; the spend is reserved before any row can reach a
number that leaves; only noisy tables leave the counting; the release appears whole or not at all; then the spend is
committed. Whatever fails in between wastes budget and leaks nothing; a build that was killed is gone on with by the same
command, on the same reservation.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from datasets.build.bounding import bounded
from datasets.build.budget import Budget, budget_of
from datasets.build.chance import discrete_gaussian_noise
from datasets.build.checkpoint import Checkpoint, checkpoint_folder, held_reservations, identity_of
from datasets.build.events.layout import event_files, month_folder
from datasets.build.events.source import Source
from datasets.build.events.validation import Into, Validated, validate
from datasets.build.failpoints import reached
from datasets.build.ledger_store import LedgerStore
from datasets.build.lock import LockLost
from datasets.build.manifest import manifest_of
from datasets.build.noisy import NoisyCells, count, counter_of, protected
from datasets.build.provenance import input_hash, salt
from datasets.build.publication import only_builder, point, point_to_current, publish_signed, staged, sweep
from datasets.build.seal import Seal
from datasets.build.selftest import ensure_readable, ensure_room
from datasets.build.verification import ensure_nothing_forgotten
from datasets.build.workbench import workbench
from datasets.build.writer import write_cells
from datasets.definition import Dataset
from datasets.period import Month
from datasets.privacy.ledger import Entry, reserve
from datasets.privacy.residuals import Noise
from datasets.refusal import Refusal
from datasets.release import layout
from datasets.release.archive import Archive
from datasets.release.cells import cells_schema
from datasets.release.codebook import codebook_of
from datasets.release.manifest import FileEntry
from datasets.release.spent import ledger_document

STEPS = ("validating", "reserving", "bounding and counting", "adding noise", "writing", "publishing")
"""What a build says it is doing, in order."""
FAILED = "the build failed"
"""What the public ledger says of a spend that came to nothing: not how, which may depend on the events."""


@dataclass(frozen=True)
class Workshop:
    """What a build works with: where things are, who signs, what tells the time, and whom to tell of progress.

    `said` is told the name of a step, which anybody may read. `passed` is told how many rows of how many a step has
    dealt with: exact numbers, which are protected (PRIVACY.md, section 11), so it may lead to the screen of whoever builds
    and nowhere else.
    """

    releases: Path
    private: Path
    ledger: LedgerStore
    seal: Seal
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    said: Callable[[str], None] = lambda _: None
    passed: Callable[[int, int], None] = lambda rows, of: None

    def quarantine(self, dataset: Dataset, month: Month) -> Path:
        """Where the rows that do not fit are put, with their reasons and totals: private."""
        return self.private / "quarantine" / dataset.name / str(month)


def build_release(
    dataset: Dataset,
    month: Month,
    events: Path,
    workshop: Workshop,
    *,
    correction: str = "",
    noise: Noise = discrete_gaussian_noise,
) -> Path:
    """Build and publish the release of a month from the events under `events`; gives its folder.

    `correction` says why a month that was released already is released again, as its next revision. Raises Refusal
    where the events cannot be read, the budget is spent, another build is under way, there is no room, or the release
    does not pass its own test; nothing is then published.
    """
    budget = budget_of(dataset, month)
    with only_builder(workshop.releases, workshop.ledger):
        workshop.said(STEPS[0])
        sweep(workshop.releases)
        ensure_room(workshop.releases, budget)
        key, files = salt(workshop.private), event_files(month_folder(events, dataset, month))
        read = input_hash(files, key)
        checkpoint = Checkpoint(
            checkpoint_folder(workshop.private, dataset.name, str(month)),
            identity_of(budget, read, correction, key),
        )
        with closing(workbench(checkpoint.folder)) as con:
            valid = _validated(con, budget, events, workshop, checkpoint, key)
            workshop.said(STEPS[1])
            # first: settling publishes the ledger, and one that was set back must not take the place of its own witness
            ensure_nothing_forgotten(workshop.releases, workshop.seal.verify, workshop.ledger)
            settle(workshop)
            if (done := _published(workshop, checkpoint)) is not None:
                checkpoint.clear()
                return done
            reserved = _reserved(budget, workshop, checkpoint, correction)
            try:
                workshop.said(STEPS[2])
                cells = checkpoint.noisy(
                    reserved, lambda: _drawn(con, budget, valid, workshop, checkpoint, noise)
                )
                reached("cells counted")
                folder = _publish(budget, cells, valid.source, workshop, reserved)
            except LockLost:  # another build may have begun, and taken over what this one would tidy up
                raise
            except Exception:  # what stops the process itself leaves the build to be gone on with
                if (
                    _release_of(workshop, reserved) is None
                ):  # otherwise it is out, and `settle` will commit it
                    with suppress(Refusal):  # the ledger's disk may be full too: `settle` closes it then
                        workshop.ledger.void(reserved, now=workshop.now(), reason=FAILED)
                    checkpoint.clear()
                raise
            point(layout.pointer_file(workshop.releases, dataset.name, month), folder.name)
            _commit(workshop, reserved, folder, read)
        checkpoint.clear()
        return folder


def _published(workshop: Workshop, checkpoint: Checkpoint) -> Path | None:
    """The release that the build which is gone on with has brought out before it died, where it has."""
    for entry in workshop.ledger.entries():
        if entry.state == "reserved" and checkpoint.is_of(entry):
            return _release_of(workshop, entry)
    return None


def _validated(
    con: duckdb.DuckDBPyConnection,
    budget: Budget,
    events: Path,
    workshop: Workshop,
    checkpoint: Checkpoint,
    key: str,
) -> Validated:
    dataset, month = budget.dataset, budget.month
    into = Into(checkpoint.buckets, key, lambda: checkpoint.parts, checkpoint.keep_parts, workshop.passed)
    return validate(
        con, dataset, month, month_folder(events, dataset, month), workshop.quarantine(dataset, month), into
    )


def _reserved(budget: Budget, workshop: Workshop, checkpoint: Checkpoint, correction: str) -> Entry:
    """The reservation of the build that is gone on with, or a new one."""
    entries, now = workshop.ledger.entries(), workshop.now()
    found = checkpoint.reservation(entries)
    if found is None:
        asked = budget.spend()
        checkpoint.expect(
            reserve(entries, asked, caps=workshop.ledger.caps, time=now.isoformat(), reason=correction)
        )
        found = workshop.ledger.reserve(asked, now=now, reason=correction)
        checkpoint.expect(found)
    return found


def _drawn(
    con: duckdb.DuckDBPyConnection, budget: Budget, valid: Validated, workshop: Workshop, checkpoint: Checkpoint,
    noise: Noise,
) -> NoisyCells:  # fmt: skip
    """Count bucket by bucket, then draw the noise."""
    counter, buckets, rows = counter_of(budget), valid.buckets, valid.totals.kept
    for bucket in range(checkpoint.counted(counter), buckets.number):
        for batch in bounded(con, budget.dataset, budget.month, buckets.relation(bucket)):
            count(counter, batch)
        checkpoint.keep_counts(counter, bucket + 1)
        workshop.passed(rows * (bucket + 1) // buckets.number, rows)
    workshop.said(STEPS[3])
    return protected(budget, counter, noise)


def settle(workshop: Workshop) -> None:
    """Close the reservations of builds that died: committed where their release is there, void where it is not.

    Whoever calls it holds the builders' lock, so no reservation belongs to a build that lives. Their spend counts
    either way. What a checkpoint holds stays open: its build may be gone on with.
    """
    held = held_reservations(workshop.private)
    entries = workshop.ledger.entries()
    closed = {entry.of for entry in entries}
    for entry in entries:
        if entry.state == "reserved" and entry.seq not in closed:
            folder = _release_of(workshop, entry)
            if folder is None and entry.hash in held:
                continue
            if folder is None:
                workshop.ledger.void(entry, now=workshop.now(), reason="the build ended without a release")
            else:
                point_to_current(
                    workshop.releases, entry.dataset, entry.month, workshop.seal.verify, workshop.now()
                )
                _commit(workshop, entry, folder, "")


def _release_of(workshop: Workshop, entry: Entry) -> Path | None:
    """The release that was made from a reservation, where one is there."""
    for manifest in Archive(workshop.releases, workshop.seal.verify).manifests(entry.dataset):
        if manifest.ledger.head == entry.hash:
            return layout.release_folder(workshop.releases, entry.dataset, manifest.release)
    return None


def _commit(workshop: Workshop, reserved: Entry, folder: Path, input_hash: str) -> None:
    """Write into the ledger what became of a spend, and publish the ledger."""
    workshop.ledger.commit(
        reserved,
        now=workshop.now(),
        input_hash=input_hash,
        release=folder.name,
        artefact_hash=layout.sha256_of(folder / layout.MANIFEST),
    )
    publish_ledger(workshop.releases, workshop.ledger, workshop.seal)


def publish_ledger(releases: Path, ledger: LedgerStore, seal: Seal) -> None:
    """Put the ledger, signed, where readers look."""
    document = ledger_document(ledger.entries(), ledger.caps)
    releases.mkdir(parents=True, exist_ok=True)
    publish_signed(layout.ledger_file(releases), document, seal, "ledger")


def _publish(budget: Budget, cells: NoisyCells, source: Source, workshop: Workshop, reserved: Entry) -> Path:
    """Write, sign and put in place the files of a release."""
    dataset, month, root = budget.dataset, budget.month, workshop.releases
    codebook = codebook_of(dataset, month)
    revision, previous = _next_revision(root, dataset, month)
    name = layout.release_name(month, revision)
    with staged(root, dataset.name, name) as folder:
        workshop.said(STEPS[4])
        rows = write_cells(folder / layout.CELLS, cells_schema(codebook), budget, cells)
        reached("cells written")
        (folder / layout.CODEBOOK).write_text(codebook.text(), encoding="utf-8")
        reached("codebook written")
        manifest = manifest_of(
            budget, cells, source, revision=revision, previous=previous, now=workshop.now(), reserved=reserved,
            caps=workshop.ledger.caps, files=(_file(folder / layout.CELLS, rows), _file(folder / layout.CODEBOOK)),
        ).canonical()  # fmt: skip
        (folder / layout.MANIFEST).write_bytes(manifest)
        reached("manifest written")
        (folder / layout.SIGNATURE).write_text(workshop.seal.sign(manifest) + "\n")
        reached("signature written")
        ensure_readable(folder, workshop.seal.verify)
        workshop.said(STEPS[5])
        workshop.ledger.ensure_held()
        # the reservation is public before the release is, so that readers can ask for it in the ledger
        publish_ledger(root, workshop.ledger, workshop.seal)
    return layout.release_folder(root, dataset.name, name)


def _next_revision(root: Path, dataset: Dataset, month: Month) -> tuple[int, str | None]:
    names = [name for name in layout.release_names(root, dataset.name) if name.startswith(f"{month}.")]
    if not names:
        return 1, None
    return int(names[-1].split(".")[1]) + 1, names[-1]


def _file(path: Path, rows: int | None = None) -> FileEntry:
    return FileEntry(name=path.name, rows=rows, bytes=path.stat().st_size, sha256=layout.sha256_of(path))
