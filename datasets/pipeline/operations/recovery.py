"""What became of a reservation: committed where its release is out, void where it is not; and the ledger made public."""

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
    """A release that cannot be read, so that nobody can say whether it was made from a reservation that is open."""


def close_stale_reservations(context: BuildContext, *, close_others: bool = False) -> tuple[Entry, ...]:
    """Close the reservations of builds that died: committed where their release is there, void where it is not.

    Whoever calls it holds the builders' lock, so no reservation belongs to a build that lives. Their spend counts
    either way. What a checkpoint holds stays open: its build may be gone on with. So does what this private folder has not
    reserved, since another one may hold its checkpoint, unless `others` says to close that too: these are given.
    Raises ReleaseInDoubt.
    """
    held, made = resumable_inputs(context.private), own_reservations(context.private)
    left = []
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
            left.append(entry)
    return tuple(left)


def describe_left_open(entries: Iterable[Entry]) -> str:
    """What to say of reservations that `settle` has left open; nothing where there are none.

    >>> describe_left_open(())
    ''
    """
    names = ", ".join(f"{entry.seq} ({entry.dataset} {entry.month})" for entry in entries)
    if not names:
        return ""
    return (
        f"left open, and counted: ledger entry {names}, reserved by another private folder than this one, whose build may "
        "be gone on with there; if it never will be, daylight ledger publish --close-others declares it void"
    )


def find_release_of(context: BuildContext, entry: Entry) -> Path | None:
    """The release that was made from an open reservation, where one is there; its signed manifest says so.

    To take a release that cannot be read for none would void a spend that became one: raises ReleaseInDoubt where a
    release of that month cannot be read and the ledger does not say that it was made from another reservation.
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
        except FileNotFoundError:  # it has gone, as a whole
            continue
        except (Refusal, OSError) as error:
            raise _release_in_doubt(entry, name, error) from error
    return None


def _release_in_doubt(entry: Entry, what: str, error: Exception) -> ReleaseInDoubt:
    why = error.sentence if isinstance(error, Refusal) else type(error).__name__
    return ReleaseInDoubt(
        f"{entry.dataset} {entry.month}: {what} cannot be read ({why}), so whether it was made from ledger entry "
        f"{entry.seq}, which is open, cannot be told; restore it from a copy, or mend the disk, and give the command again"
    )


def commit(context: BuildContext, reserved: Entry, folder: Path, input_hash: str) -> None:
    """Write into the ledger what became of a spend, and publish the ledger."""
    context.ledger.commit(
        reserved,
        now=context.now(),
        input_hash=input_hash,
        release=folder.name,
        artefact_hash=layout.sha256_of(folder / layout.MANIFEST),
    )
    publish_ledger(context.releases, context.ledger, context.signer)
