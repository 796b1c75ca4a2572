"""The build: raw events of one month in, a signed release out, its privacy spend in the ledger.

The order is what makes it safe. Rows are validated and set aside; the spend is reserved before any row can reach a
number that leaves; only noisy tables leave the counting; the release appears whole or not at all; then the spend is
committed. Whatever fails in between wastes budget and leaks nothing; a build that was killed, or whose disk was full, is
gone on with by the same command, on the same reservation.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from pathlib import Path

import duckdb

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.engine.bounding import bounded
from datasets.pipeline.engine.duckdb import workbench
from datasets.pipeline.events.layout import event_files, month_folder
from datasets.pipeline.events.source import Source
from datasets.pipeline.events.validation import Into, Validated, validate
from datasets.pipeline.measurement.noise import NoisyCells, count, counter_of, protected
from datasets.pipeline.measurement.randomness import discrete_gaussian_noise
from datasets.pipeline.operations.recovery import (
    ReleaseInDoubt,
    close_stale_reservations,
    commit,
    describe_left_open,
    find_release_of,
    publish_ledger,
)
from datasets.pipeline.operations.verification import ensure_ledger_complete
from datasets.pipeline.output.cells import write_cells
from datasets.pipeline.output.manifest import make_manifest
from datasets.pipeline.output.publication import (
    builder_lock,
    remove_unfinished,
    staging_folder,
    write_pointer,
)
from datasets.pipeline.output.selftest import ensure_readable
from datasets.pipeline.planning.budget import Budget, budget_of
from datasets.pipeline.state.checkpoint import (
    Checkpoint,
    Identity,
    build_identity,
    checkpoint_folder,
    find_conflict,
)
from datasets.pipeline.state.context import BuildContext
from datasets.pipeline.state.disk_space import disk_full_as_refusal, ensure_room, is_disk_full
from datasets.pipeline.state.failpoints import failpoint
from datasets.pipeline.state.files import flush
from datasets.pipeline.state.ledger_store import LedgerUnavailable
from datasets.pipeline.state.lock import LockLost
from datasets.pipeline.state.private_folder import ensure_private
from datasets.pipeline.state.provenance import input_hash, load_salt
from datasets.pipeline.state.reservations import record_own_reservation
from datasets.privacy.ledger import Entry, day_of, reserve
from datasets.privacy.residuals import Noise
from datasets.privacy.zcdp import NANO
from datasets.refusal import Refusal
from datasets.release.format import layout
from datasets.release.format.cells import cells_schema
from datasets.release.format.codebook import codebook_of
from datasets.release.format.manifest import FileEntry, Manifest
from datasets.release.format.timestamps import is_late, release_timestamp
from datasets.release.store.history import ReleaseHistory

log = logging.getLogger("daylight.build")

STEPS = ("validating", "reserving", "bounding and counting", "adding noise", "writing", "publishing")
"""What a build says it is doing, in order."""
FAILED_REASON = "the build failed"
"""What the public ledger says of a spend that came to nothing: not how, which may depend on the events."""


class HalfBuilt(Refusal):
    """A build that was cut off holds a reservation, which another build than it would give up."""


def build_release(
    dataset: Dataset,
    month: Month,
    events: Path,
    context: BuildContext,
    *,
    correction: str = "",
    afresh: bool = False,
    noise: Noise = discrete_gaussian_noise,
) -> Path:
    """Build and publish the release of a month from the events under `events`; gives its folder.

    `correction` says why a month that was released already is released again, as its next revision. `afresh` gives up a
    build of this month that was cut off and that this one cannot go on with, once this one may spend and has room; the
    spend of the other stays counted.

    Raises Refusal where the events cannot be read, the budget is spent, another build is under way, one that was cut off
    would be given up unasked (HalfBuilt), there is no room, others may read the private folder, or the release does not
    pass its own test; nothing is then published.
    """
    budget = budget_of(dataset, month)
    with (
        disk_full_as_refusal(context.releases, context.private),
        builder_lock(context.releases, context.ledger),
    ):
        context.on_step(STEPS[0])
        ensure_private(context.private)
        remove_unfinished(context.releases)
        key, files = load_salt(context.private), event_files(month_folder(events, dataset, month))
        read, folder = input_hash(files, key), checkpoint_folder(context.private, dataset.name, str(month))
        identity = build_identity(budget, read, correction, key)
        # first: settling publishes the ledger, and one that was set back must not take the place of its own witness
        ensure_ledger_complete(context.releases, context.signer.verify, context.ledger)
        if not afresh:
            _ensure_no_resumable_build_lost(context, folder, identity)
        elif find_conflict(folder, identity, context.ledger.entries()) is not None:
            # before that one is given up: this one may spend, and has room
            _planned_entry(budget, context, correction, context.now())
            ensure_room(context.releases, folder, budget, files)
        close_stale_reservations(
            context
        )  # while what a build that is out has left still says what its input was
        checkpoint = Checkpoint(folder, identity)
        ensure_room(context.releases, folder, budget, files)
        with closing(workbench(checkpoint.folder)) as con:
            valid = _validate(con, budget, events, context, checkpoint, key)
            context.on_step(STEPS[1])
            left = close_stale_reservations(context)  # again: what was given up is void from here on
            if left:
                log.warning("%s", describe_left_open(left))
            if (done := checkpoint.find_published_release(context.ledger.entries())) is not None:
                checkpoint.clear()
                return layout.release_folder(context.releases, dataset.name, done)
            reserved = _reserve(budget, context, checkpoint, correction)
            try:
                context.on_step(STEPS[2])
                cells = checkpoint.noisy_cells(
                    reserved, lambda: _count_and_draw(con, budget, valid, context, checkpoint, noise)
                )
                failpoint("cells counted")
                folder = _publish(budget, cells, valid.source, context, reserved)
            except Exception as error:
                if not _is_resumable_after(error):
                    _void_and_clear(context, reserved, checkpoint)
                raise
            write_pointer(layout.pointer_file(context.releases, dataset.name, month), folder.name)
            commit(context, reserved, folder, read)
        checkpoint.clear()
        return folder


def _ensure_no_resumable_build_lost(context: BuildContext, folder: Path, identity: Identity) -> None:
    """Raises HalfBuilt where a build that was cut off, and is not out, could be gone on with, but not by this one."""
    found = find_conflict(folder, identity, context.ledger.entries())
    if found is None or find_release_of(context, found[0]) is not None:
        return
    entry, names = found
    raise HalfBuilt(
        f"a build of {entry.dataset} {entry.month} was cut off and can be gone on with at no further spend, but only with "
        f"the same {' and '.join(names)}: give the command as it was then, or give that build up with --afresh; the "
        f"{entry.nano_rho / NANO:g} rho of ledger entry {entry.seq} stay counted then, and this build spends anew",
        parameter="afresh",
    )


def _is_resumable_after(error: Exception) -> bool:
    """Whether the same command can go on with the build, as it can after a kill in the same place (decisions/0010).

    A full disk and a ledger that is out of reach pass. Who lost the builders' lock tidies up nothing: another build may
    have begun.
    """
    return isinstance(error, LockLost | LedgerUnavailable) or is_disk_full(error)


def _void_and_clear(context: BuildContext, reserved: Entry, checkpoint: Checkpoint) -> None:
    """The build has failed: its spend is void, unless its release is out, or nobody can tell; `settle` closes it then."""
    with suppress(ReleaseInDoubt):
        if find_release_of(context, reserved) is None:
            with suppress(Refusal):  # the ledger's disk may be full too: `settle` closes it then
                context.ledger.void(reserved, now=context.now(), reason=FAILED_REASON)
            checkpoint.clear()


def _validate(
    con: duckdb.DuckDBPyConnection,
    budget: Budget,
    events: Path,
    context: BuildContext,
    checkpoint: Checkpoint,
    key: str,
) -> Validated:
    dataset, month = budget.dataset, budget.month
    into = Into(checkpoint.buckets, key, lambda: checkpoint.parts, checkpoint.save_parts, context.on_progress)
    return validate(
        con,
        dataset,
        month,
        month_folder(events, dataset, month),
        context.quarantine_folder(dataset, month),
        into,
    )


def _reserve(budget: Budget, context: BuildContext, checkpoint: Checkpoint, correction: str) -> Entry:
    """The reservation of the build that is gone on with, or a new one."""
    found = checkpoint.find_reservation(context.ledger.entries())
    if found is None:
        now = context.now()
        _save_reservation(_planned_entry(budget, context, correction, now), context, checkpoint)
        found = context.ledger.reserve(budget.spend(), now=now, reason=correction)
        _save_reservation(found, context, checkpoint)
    return found


def _save_reservation(entry: Entry, context: BuildContext, checkpoint: Checkpoint) -> None:
    record_own_reservation(context.private, entry)
    checkpoint.save_reservation(entry)


def _planned_entry(budget: Budget, context: BuildContext, correction: str, now: datetime) -> Entry:
    """The entry that would be appended if this build reserved its spend. Raises BudgetSpent where it may not."""
    entries, caps = context.ledger.entries(), context.ledger.caps
    return reserve(entries, budget.spend(), caps=caps, time=day_of(now), reason=correction)


def _count_and_draw(
    con: duckdb.DuckDBPyConnection, budget: Budget, valid: Validated, context: BuildContext, checkpoint: Checkpoint,
    noise: Noise,
) -> NoisyCells:  # fmt: skip
    """Count bucket by bucket, then draw the noise."""
    counter, buckets, rows = counter_of(budget), valid.buckets, valid.totals.kept
    for bucket in range(checkpoint.restore_counts(counter), buckets.number):
        for batch in bounded(con, budget.dataset, budget.month, buckets.relation(bucket)):
            count(counter, batch)
        checkpoint.save_counts(counter, bucket + 1)
        context.on_progress(rows * (bucket + 1) // buckets.number, rows)
    context.on_step(STEPS[3])
    return protected(budget, counter, noise)


def _publish(
    budget: Budget, cells: NoisyCells, source: Source, context: BuildContext, reserved: Entry
) -> Path:
    """Write, sign and put in place the files of a release."""
    dataset, month, root = budget.dataset, budget.month, context.releases
    codebook = codebook_of(dataset, month)
    revision, previous = _next_revision(context, dataset, month)
    name = layout.release_name(month, revision)
    with staging_folder(root, dataset.name, name) as folder:
        context.on_step(STEPS[4])
        rows = write_cells(folder / layout.CELLS, cells_schema(codebook), budget, cells)
        failpoint("cells written")
        (folder / layout.CODEBOOK).write_text(codebook.text(), encoding="utf-8")
        failpoint("codebook written")
        files = (_file_entry(folder / layout.CELLS, rows), _file_entry(folder / layout.CODEBOOK))
        told = partial(
            make_manifest, budget, cells, source, revision=revision, previous=previous, reserved=reserved,
            caps=context.ledger.caps, files=files,
        )  # fmt: skip
        published = _sign_and_test(folder, told, context)
        context.on_step(STEPS[5])
        context.ledger.ensure_lock_held()
        # the reservation is public before the release is, so that readers can ask for it in the ledger
        publish_ledger(root, context.ledger, context.signer)
        while is_late(published, context.now()):  # nobody has seen the one before
            published = _sign_and_test(folder, told, context)
    return layout.release_folder(root, dataset.name, name)


def _sign_and_test(folder: Path, told: Callable[..., Manifest], context: BuildContext) -> datetime:
    """Write and sign the manifest of a staged release with the moment that it is, and try the release; gives the moment."""
    record = ReleaseHistory(context.releases, context.signer.verify).timestamp_record(folder.parent.name)
    published = release_timestamp(record.timestamps, context.now(), is_complete=record.is_complete)
    manifest = told(published=published).canonical()
    (folder / layout.MANIFEST).write_bytes(manifest)
    failpoint("manifest written")
    (folder / layout.SIGNATURE).write_text(context.signer.sign(manifest) + "\n")
    failpoint("signature written")
    ensure_readable(folder, context.signer.verify)
    for path in folder.iterdir():  # so that there is little left to wait for
        flush(path)
    return published


def _next_revision(context: BuildContext, dataset: Dataset, month: Month) -> tuple[int, str | None]:
    """The number of the next release of a month, and the name of the one before.

    No name is given twice, since citations hold it: a release that the ledger knows has its name also where its folder
    has gone.
    """
    committed = (entry.release for entry in context.ledger.entries() if entry.dataset == dataset.name)
    names = {*layout.release_names(context.releases, dataset.name), *committed}
    latest = max((int(name.split(".")[1]) for name in names if name.startswith(f"{month}.")), default=0)
    return latest + 1, layout.release_name(month, latest) if latest else None


def _file_entry(path: Path, rows: int | None = None) -> FileEntry:
    return FileEntry(name=path.name, rows=rows, bytes=path.stat().st_size, sha256=layout.sha256_of(path))
