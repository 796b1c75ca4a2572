"""The build: reads the raw events of one month, publishes a signed release, and records its privacy spend in the ledger.

The order of the steps makes it safe. Rows are validated and counted privately: what is written until then stays in the
private folder, and decides nothing that others can see but whether the build is refused. Then the spend is reserved, and
noise is drawn. Only noisy tables are published. The release appears as a whole or not at all. Then the spend is committed. A
failure before the reservation costs nothing; one after it wastes budget but leaks nothing. The same command resumes a build
that was killed, or whose disk was full, on the same reservation.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.engine.job import Counted, Engine, InputIdentity
from datasets.pipeline.events.layout import event_files, month_folder
from datasets.pipeline.events.local_engine import LocalEngine, UnsavedProgress
from datasets.pipeline.events.source import EventSource, read_source
from datasets.pipeline.measurement.noise import add_noise, count_job
from datasets.pipeline.measurement.randomness import discrete_gaussian_noise
from datasets.pipeline.operations.recovery import (
    ReleaseInDoubt,
    close_stale_reservations,
    commit,
    describe_left_open,
    find_release_of,
)
from datasets.pipeline.operations.verification import ensure_ledger_complete
from datasets.pipeline.output.publication import (
    builder_lock,
    remove_unfinished,
    write_pointer,
)
from datasets.pipeline.output.release_files import publish_release
from datasets.pipeline.planning.budget import Budget, plan_budget
from datasets.pipeline.state.checkpoint import (
    Checkpoint,
    Identity,
    build_identity,
    checkpoint_folder,
    find_conflict,
)
from datasets.pipeline.state.context import ADDING_NOISE, COUNTING, RESERVING, VALIDATING, BuildContext
from datasets.pipeline.state.disk_space import disk_full_as_refusal, ensure_room, is_disk_full
from datasets.pipeline.state.failpoints import failpoint
from datasets.pipeline.state.ledger_store import LedgerUnavailable
from datasets.pipeline.state.lock import LockLost
from datasets.pipeline.state.misfits import ensure_rows_fit, record_acceptance
from datasets.pipeline.state.private_folder import ensure_private
from datasets.pipeline.state.provenance import input_hash, load_salt
from datasets.pipeline.state.reservations import record_own_reservation
from datasets.privacy.ledger import Entry, day_of, reserve
from datasets.privacy.residuals import Noise
from datasets.privacy.zcdp import NANO
from datasets.refusal import Refusal
from datasets.release.format import layout

log = logging.getLogger("daylight.build")

FAILED_REASON = "the build failed"
"""The reason in the public ledger for a void spend. It does not say how the build failed, which may depend on the events."""


class EventsChanged(Refusal):
    """The events were changed while a build counted them."""


class HalfBuilt(Refusal):
    """An interrupted build holds a reservation that this build cannot use and would give up."""


def build_release(
    dataset: Dataset,
    month: Month,
    events: Path,
    context: BuildContext,
    *,
    correction: str = "",
    afresh: bool = False,
    engine: Engine[Path] | None = None,
    accept_misfits: str | None = None,
    noise: Noise = discrete_gaussian_noise,
) -> Path:
    """Build and publish the release of a month from the events under `events`; returns the folder of the release.

    `engine` counts the events; its source is the month's folder under `events`, which must have `source.json`, whatever else
    the engine reads. Without it they are Parquet files there, counted on this host, on disk and with saved progress.

    `correction` says why a month that was released already is released again, as its next revision. `afresh` allows this
    build to give up an interrupted build of the same month that it cannot resume, after it was checked that this build may
    spend and has room; the spend of the interrupted build stays counted. `accept_misfits` says why more rows may be left out
    than the declaration allows; it is written to the audit log and never published.

    Raises Refusal, and publishes nothing, if the events cannot be read, the budget is spent, another build is under way, an
    interrupted build would be given up without `afresh` (HalfBuilt), there is no room on disk, others can read the private
    folder, no row fits (NoRowFits), too many do not (TooManyMisfits), or the release does not pass its own test.
    """
    budget = plan_budget(dataset, month)
    with (
        disk_full_as_refusal(context.releases, context.private),
        builder_lock(context.releases, context.ledger),
    ):
        context.on_step(VALIDATING)
        ensure_private(context.private)
        remove_unfinished(context.releases)
        key, source = load_salt(context.private), month_folder(events, dataset, month)
        local = _local_engine(budget, context)
        identity, description = (engine or local).identify(source), read_source(source, dataset)
        hash_of_input = input_hash(identity, key)
        checkpoint = _open_checkpoint(
            budget, context, build_identity(budget, hash_of_input, correction, key), () if engine else event_files(source),
            correction, afresh=afresh,
        )  # fmt: skip
        if (done := checkpoint.find_published_release(context.ledger.entries())) is not None:
            checkpoint.clear()
            return layout.release_folder(context.releases, dataset.name, done)
        if accept_misfits is not None:
            record_acceptance(context, dataset, month, accept_misfits)
        counting = engine or local.resuming(checkpoint)
        counted = _count(budget, counting, identity, source, key, checkpoint)
        if checkpoint.find_reservation(context.ledger.entries()) is None:
            ensure_rows_fit(context, dataset, month, counted.totals, accept_misfits)
        context.on_step(RESERVING)
        reserved = _reserve(budget, context, checkpoint, correction)
        folder = _draw_and_publish(budget, counted, description, context, checkpoint, reserved, noise)
        write_pointer(layout.pointer_file(context.releases, dataset.name, month), folder.name)
        commit(context, reserved, folder, hash_of_input)
        checkpoint.clear()
        return folder


def _open_checkpoint(
    budget: Budget, context: BuildContext, identity: Identity, files: Sequence[Path], correction: str, *, afresh: bool
) -> Checkpoint:  # fmt: skip
    """The checkpoint of the interrupted build that this build resumes, or a new one. It will hold the rows of `files`.

    Raises HalfBuilt if an interrupted build would be given up without `afresh`, BudgetSpent if this build may not spend, and
    NoRoom if a disk has too little room.
    """
    folder = checkpoint_folder(context.private, budget.dataset.name, str(budget.month))
    # first, since closing reservations publishes the ledger: a ledger that was set back must not replace the published one
    # that proves it
    ensure_ledger_complete(context.releases, context.signer.verify, context.ledger)
    if not afresh:
        _ensure_none_given_up(context, folder, identity)
    elif find_conflict(folder, identity, context.ledger.entries()) is not None:
        # before the interrupted build is given up, ensure that this one may spend and has room
        _next_entry(budget, context, correction, context.now())
        ensure_room(context.releases, folder, budget, files)
    # before a conflicting checkpoint is deleted, since it holds the input hash of a build that has published its release
    close_stale_reservations(context)
    checkpoint = Checkpoint(folder, identity)
    # again, since the interrupted build that was given up leaves a reservation that nobody can resume
    if left_open := close_stale_reservations(context):
        log.warning("%s", describe_left_open(left_open))
    entries = context.ledger.entries()
    if checkpoint.find_reservation(entries) is None and checkpoint.find_published_release(entries) is None:
        _next_entry(budget, context, correction, context.now())  # refused before a row is read
    ensure_room(context.releases, folder, budget, files)
    return checkpoint


def _ensure_none_given_up(context: BuildContext, folder: Path, identity: Identity) -> None:
    """Raises HalfBuilt if an interrupted build without a release could be resumed, but not by this build."""
    conflict = find_conflict(folder, identity, context.ledger.entries())
    if conflict is None or find_release_of(context, conflict[0]) is not None:
        return
    entry, names = conflict
    raise HalfBuilt(
        f"a build of {entry.dataset} {entry.month} was interrupted and can be resumed without a further spend, but only with "
        f"the same {' and '.join(names)}: give the same command as before, or give that build up with --afresh; the "
        f"{entry.nano_rho / NANO:g} rho of ledger entry {entry.seq} stay counted, and this build spends again",
        parameter="afresh",
    )


def _local_engine(budget: Budget, context: BuildContext) -> LocalEngine:
    dataset, month = budget.dataset, budget.month
    return LocalEngine(
        context.quarantine_folder(dataset, month),
        UnsavedProgress(checkpoint_folder(context.private, dataset.name, str(month))),
        on_counting=lambda: context.on_step(COUNTING),
        on_progress=context.on_progress,
        on_remark=log.warning,
    )


def _count(
    budget: Budget,
    engine: Engine[Path],
    identity: InputIdentity,
    source: Path,
    key: str,
    checkpoint: Checkpoint,
) -> Counted:
    """The exact counts, from the checkpoint if they are complete there.

    Raises EventsChanged if what was counted is not what was identified before; nothing of it is used again.
    """
    counted = checkpoint.find_counted(identity)
    if counted is None:
        counted = engine.counted(count_job(budget), key, source)
        if counted.input != identity:
            checkpoint.clear()
            raise EventsChanged(
                "the events changed while they were counted, so nothing was published; build again once they are complete"
            )
        checkpoint.save_counted(counted)
    return counted


def _draw_and_publish(
    budget: Budget, counted: Counted, source: EventSource, context: BuildContext, checkpoint: Checkpoint, reserved: Entry,
    noise: Noise,
) -> Path:  # fmt: skip
    """Add noise and publish; returns the folder of the release. A build that cannot be resumed after an error is given up."""
    try:
        context.on_step(ADDING_NOISE)
        cells = checkpoint.noisy_cells(reserved, lambda: add_noise(budget, counted.counts, noise))
        failpoint("noise drawn")
        return publish_release(budget, cells, source, context, reserved)
    except Exception as error:
        if not _is_resumable_after(error):
            _give_up(context, reserved, checkpoint)
        raise


def _is_resumable_after(error: Exception) -> bool:
    """Whether the same command can resume the build after this error, as it can after a kill (decisions/0010).

    A full disk and an unreachable ledger are temporary. A build that lost the builders' lock must not clean up, since another
    build may have begun.
    """
    return isinstance(error, LockLost | LedgerUnavailable) or is_disk_full(error)


def _give_up(context: BuildContext, reserved: Entry, checkpoint: Checkpoint) -> None:
    """Void the spend of a failed build and delete its checkpoint.

    Nothing is voided if the release is published, or if that is in doubt: `close_stale_reservations` then decides later.
    """
    with suppress(ReleaseInDoubt):
        if find_release_of(context, reserved) is None:
            # if the ledger cannot be written, `close_stale_reservations` voids the spend later
            with suppress(Refusal):
                context.ledger.void(reserved, now=context.now(), reason=FAILED_REASON)
            checkpoint.clear()


def _reserve(budget: Budget, context: BuildContext, checkpoint: Checkpoint, correction: str) -> Entry:
    """The reservation of the build that is resumed, or a new one."""
    found = checkpoint.find_reservation(context.ledger.entries())
    if found is None:
        now = context.now()
        _save_reservation(_next_entry(budget, context, correction, now), context, checkpoint)
        found = context.ledger.reserve(budget.spend(), now=now, reason=correction)
        _save_reservation(found, context, checkpoint)
    return found


def _save_reservation(entry: Entry, context: BuildContext, checkpoint: Checkpoint) -> None:
    record_own_reservation(context.private, entry)
    checkpoint.save_reservation(entry)


def _next_entry(budget: Budget, context: BuildContext, correction: str, now: datetime) -> Entry:
    """The entry that reserving the spend of this build would append. Raises BudgetSpent if the budget does not allow it."""
    entries, caps = context.ledger.entries(), context.ledger.caps
    return reserve(entries, budget.spend(), caps=caps, time=day_of(now), reason=correction)
