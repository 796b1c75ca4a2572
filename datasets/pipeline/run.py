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
    commit,
    left_open,
    publish_ledger,
    release_of,
    settle,
)
from datasets.pipeline.operations.verification import ensure_nothing_forgotten
from datasets.pipeline.output.cells import write_cells
from datasets.pipeline.output.manifest import manifest_of
from datasets.pipeline.output.publication import only_builder, point, staged, sweep
from datasets.pipeline.output.selftest import ensure_readable
from datasets.pipeline.planning.budget import Budget, budget_of
from datasets.pipeline.state.checkpoint import (
    Checkpoint,
    Identity,
    checkpoint_folder,
    found_differing,
    identity_of,
)
from datasets.pipeline.state.context import Workshop
from datasets.pipeline.state.disk_space import ensure_room, is_full, speaking_of_disks
from datasets.pipeline.state.failpoints import reached
from datasets.pipeline.state.files import flush
from datasets.pipeline.state.ledger_store import LedgerUnavailable
from datasets.pipeline.state.lock import LockLost
from datasets.pipeline.state.private_folder import ensure_private
from datasets.pipeline.state.provenance import input_hash, salt
from datasets.pipeline.state.reservations import note
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
FAILED = "the build failed"
"""What the public ledger says of a spend that came to nothing: not how, which may depend on the events."""


class HalfBuilt(Refusal):
    """A build that was cut off holds a reservation, which another build than it would give up."""


def build_release(
    dataset: Dataset,
    month: Month,
    events: Path,
    workshop: Workshop,
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
        speaking_of_disks(workshop.releases, workshop.private),
        only_builder(workshop.releases, workshop.ledger),
    ):
        workshop.said(STEPS[0])
        ensure_private(workshop.private)
        sweep(workshop.releases)
        key, files = salt(workshop.private), event_files(month_folder(events, dataset, month))
        read, folder = input_hash(files, key), checkpoint_folder(workshop.private, dataset.name, str(month))
        identity = identity_of(budget, read, correction, key)
        # first: settling publishes the ledger, and one that was set back must not take the place of its own witness
        ensure_nothing_forgotten(workshop.releases, workshop.seal.verify, workshop.ledger)
        if not afresh:
            _ensure_nothing_given_up(workshop, folder, identity)
        elif found_differing(folder, identity, workshop.ledger.entries()) is not None:
            # before that one is given up: this one may spend, and has room
            _asked(budget, workshop, correction, workshop.now())
            ensure_room(workshop.releases, folder, budget, files)
        settle(workshop)  # while what a build that is out has left still says what its input was
        checkpoint = Checkpoint(folder, identity)
        ensure_room(workshop.releases, folder, budget, files)
        with closing(workbench(checkpoint.folder)) as con:
            valid = _validated(con, budget, events, workshop, checkpoint, key)
            workshop.said(STEPS[1])
            left = settle(workshop)  # again: what was given up is void from here on
            if left:
                log.warning("%s", left_open(left))
            if (done := checkpoint.published(workshop.ledger.entries())) is not None:
                checkpoint.clear()
                return layout.release_folder(workshop.releases, dataset.name, done)
            reserved = _reserved(budget, workshop, checkpoint, correction)
            try:
                workshop.said(STEPS[2])
                cells = checkpoint.noisy(
                    reserved, lambda: _drawn(con, budget, valid, workshop, checkpoint, noise)
                )
                reached("cells counted")
                folder = _publish(budget, cells, valid.source, workshop, reserved)
            except Exception as error:
                if not _can_go_on_after(error):
                    _give_up(workshop, reserved, checkpoint)
                raise
            point(layout.pointer_file(workshop.releases, dataset.name, month), folder.name)
            commit(workshop, reserved, folder, read)
        checkpoint.clear()
        return folder


def _ensure_nothing_given_up(workshop: Workshop, folder: Path, identity: Identity) -> None:
    """Raises HalfBuilt where a build that was cut off, and is not out, could be gone on with, but not by this one."""
    found = found_differing(folder, identity, workshop.ledger.entries())
    if found is None or release_of(workshop, found[0]) is not None:
        return
    entry, names = found
    raise HalfBuilt(
        f"a build of {entry.dataset} {entry.month} was cut off and can be gone on with at no further spend, but only with "
        f"the same {' and '.join(names)}: give the command as it was then, or give that build up with --afresh; the "
        f"{entry.nano_rho / NANO:g} rho of ledger entry {entry.seq} stay counted then, and this build spends anew",
        parameter="afresh",
    )


def _can_go_on_after(error: Exception) -> bool:
    """Whether the same command can go on with the build, as it can after a kill in the same place (decisions/0010).

    A full disk and a ledger that is out of reach pass. Who lost the builders' lock tidies up nothing: another build may
    have begun.
    """
    return isinstance(error, LockLost | LedgerUnavailable) or is_full(error)


def _give_up(workshop: Workshop, reserved: Entry, checkpoint: Checkpoint) -> None:
    """The build has failed: its spend is void, unless its release is out, or nobody can tell; `settle` closes it then."""
    with suppress(ReleaseInDoubt):
        if release_of(workshop, reserved) is None:
            with suppress(Refusal):  # the ledger's disk may be full too: `settle` closes it then
                workshop.ledger.void(reserved, now=workshop.now(), reason=FAILED)
            checkpoint.clear()


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
    found = checkpoint.reservation(workshop.ledger.entries())
    if found is None:
        now = workshop.now()
        _expect(_asked(budget, workshop, correction, now), workshop, checkpoint)
        found = workshop.ledger.reserve(budget.spend(), now=now, reason=correction)
        _expect(found, workshop, checkpoint)
    return found


def _expect(entry: Entry, workshop: Workshop, checkpoint: Checkpoint) -> None:
    note(workshop.private, entry)
    checkpoint.expect(entry)


def _asked(budget: Budget, workshop: Workshop, correction: str, now: datetime) -> Entry:
    """The entry that would be appended if this build reserved its spend. Raises BudgetSpent where it may not."""
    entries, caps = workshop.ledger.entries(), workshop.ledger.caps
    return reserve(entries, budget.spend(), caps=caps, time=day_of(now), reason=correction)


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


def _publish(budget: Budget, cells: NoisyCells, source: Source, workshop: Workshop, reserved: Entry) -> Path:
    """Write, sign and put in place the files of a release."""
    dataset, month, root = budget.dataset, budget.month, workshop.releases
    codebook = codebook_of(dataset, month)
    revision, previous = _next_revision(workshop, dataset, month)
    name = layout.release_name(month, revision)
    with staged(root, dataset.name, name) as folder:
        workshop.said(STEPS[4])
        rows = write_cells(folder / layout.CELLS, cells_schema(codebook), budget, cells)
        reached("cells written")
        (folder / layout.CODEBOOK).write_text(codebook.text(), encoding="utf-8")
        reached("codebook written")
        files = (_file(folder / layout.CELLS, rows), _file(folder / layout.CODEBOOK))
        told = partial(
            manifest_of, budget, cells, source, revision=revision, previous=previous, reserved=reserved,
            caps=workshop.ledger.caps, files=files,
        )  # fmt: skip
        published = _stamped(folder, told, workshop)
        workshop.said(STEPS[5])
        workshop.ledger.ensure_held()
        # the reservation is public before the release is, so that readers can ask for it in the ledger
        publish_ledger(root, workshop.ledger, workshop.seal)
        while is_late(published, workshop.now()):  # nobody has seen the one before
            published = _stamped(folder, told, workshop)
    return layout.release_folder(root, dataset.name, name)


def _stamped(folder: Path, told: Callable[..., Manifest], workshop: Workshop) -> datetime:
    """Write and sign the manifest of a staged release with the moment that it is, and try the release; gives the moment."""
    record = ReleaseHistory(workshop.releases, workshop.seal.verify).timestamp_record(folder.parent.name)
    published = release_timestamp(record.timestamps, workshop.now(), is_complete=record.is_complete)
    manifest = told(published=published).canonical()
    (folder / layout.MANIFEST).write_bytes(manifest)
    reached("manifest written")
    (folder / layout.SIGNATURE).write_text(workshop.seal.sign(manifest) + "\n")
    reached("signature written")
    ensure_readable(folder, workshop.seal.verify)
    for path in folder.iterdir():  # so that there is little left to wait for
        flush(path)
    return published


def _next_revision(workshop: Workshop, dataset: Dataset, month: Month) -> tuple[int, str | None]:
    """The number of the next release of a month, and the name of the one before.

    No name is given twice, since citations hold it: a release that the ledger knows has its name also where its folder
    has gone.
    """
    committed = (entry.release for entry in workshop.ledger.entries() if entry.dataset == dataset.name)
    names = {*layout.release_names(workshop.releases, dataset.name), *committed}
    latest = max((int(name.split(".")[1]) for name in names if name.startswith(f"{month}.")), default=0)
    return latest + 1, layout.release_name(month, latest) if latest else None


def _file(path: Path, rows: int | None = None) -> FileEntry:
    return FileEntry(name=path.name, rows=rows, bytes=path.stat().st_size, sha256=layout.sha256_of(path))
