"""Recovery: reservations of builds that died are committed if their release is published, and declared void otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from datasets.pipeline.output.publication import publish_ledger, update_pointer
from datasets.pipeline.state.checkpoint import resumable_inputs
from datasets.pipeline.state.context import BuildContext
from datasets.pipeline.state.reservations import own_reservations
from datasets.privacy.ledger import Entry, open_reservations
from datasets.refusal import Refusal
from datasets.release.format import layout
from datasets.release.format.verification import signed_manifest


class ReleaseInDoubt(Refusal):
    """A release cannot be read, so it is not known whether it was made from an open reservation."""


def close_stale_reservations(context: BuildContext, *, close_others: bool = False) -> tuple[Entry, ...]:
    """Close the reservations of builds that died: commit those whose release is published, void the others.

    The caller holds the builders' lock, so no reservation belongs to a running build. The spend stays counted in any case.
    Two kinds of reservations stay open: those of a checkpoint, whose build can be resumed; and, unless `close_others` is
    true, those made from another private folder, which may have a checkpoint there. Returns the latter. Raises ReleaseInDoubt
    if a release cannot be read.
    """
    held, made = resumable_inputs(context.private), own_reservations(context.private)
    left_open = []
    for entry in open_reservations(context.ledger.entries()):
        folder = find_release_of(context, entry)
        if folder is not None:
            update_pointer(context.releases, entry.dataset, entry.month, context.signer.verify)
            commit(context, entry, folder, held.get(entry.hash, ""))
        elif entry.hash in held:
            continue
        elif close_others or entry.hash in made:
            context.ledger.void(entry, now=context.now(), reason="the build ended without a release")
        else:
            left_open.append(entry)
    return tuple(left_open)


def describe_left_open(entries: Iterable[Entry]) -> str:
    """A sentence for the operator about reservations that `close_stale_reservations` left open; empty if there are none.

    >>> describe_left_open(())
    ''
    """
    names = ", ".join(f"{entry.seq} ({entry.dataset} {entry.month})" for entry in entries)
    if not names:
        return ""
    return (
        f"left open, and counted: ledger entry {names}, reserved by another private folder than this one, where its build "
        "can be resumed; if it never will be, daylight ledger publish --close-others declares it void"
    )


def find_release_of(context: BuildContext, entry: Entry) -> Path | None:
    """The folder of the release that was made from an open reservation, according to its signed manifest, or None.

    Raises ReleaseInDoubt if a release of that month cannot be read and is not committed for another reservation: it may be
    the one, and its reservation must not be declared void.
    """
    committed = {
        e.release
        for e in context.ledger.entries()
        if e.state == "committed" and (e.dataset, e.month) == (entry.dataset, entry.month)
    }
    try:
        names = layout.release_names(context.releases, entry.dataset)
    except OSError as error:
        raise _release_in_doubt(entry, "the folder of its releases", error) from error
    for name in names:
        if not name.startswith(f"{entry.month}.") or name in committed:
            continue
        folder = layout.release_folder(context.releases, entry.dataset, name)
        try:
            if signed_manifest(folder, context.signer.verify).ledger.head == entry.hash:
                return folder
        except FileNotFoundError:  # the whole release is gone
            continue
        except (Refusal, OSError) as error:
            raise _release_in_doubt(entry, name, error) from error
    return None


def _release_in_doubt(entry: Entry, what: str, error: Exception) -> ReleaseInDoubt:
    why = error.sentence if isinstance(error, Refusal) else type(error).__name__
    return ReleaseInDoubt(
        f"{entry.dataset} {entry.month}: {what} cannot be read ({why}), so it is not known whether it was made from "
        f"ledger entry {entry.seq}, which is open; restore it from a copy, or repair the disk, and give the command again"
    )


def commit(context: BuildContext, reserved: Entry, folder: Path, input_hash: str) -> None:
    """Append that the release in `folder` was made from a reservation, and publish the ledger."""
    context.ledger.commit(
        reserved,
        now=context.now(),
        input_hash=input_hash,
        release=folder.name,
        artefact_hash=layout.sha256_of(folder / layout.MANIFEST),
    )
    publish_ledger(context.releases, context.ledger, context.signer)
