"""Withdrawal of a release that should not be used.

Its files stay; a signed erratum in the same folder gives the reason, and readers refuse the release.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from datasets.definition import Dataset
from datasets.pipeline.output.publication import (
    builder_lock,
    publish_signed_document,
    read_pointer,
    update_pointer,
)
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.pipeline.state.signing import ReleaseSigner
from datasets.refusal import Refusal, nearest, printable
from datasets.release.format import layout
from datasets.release.format.errata import Erratum
from datasets.release.format.timestamps import action_timestamp
from datasets.release.store.history import ReleaseHistory


class CannotWithdraw(Refusal):
    """The release does not exist or is already withdrawn, or the reason is unsuitable."""


def withdraw(
    releases: Path,
    ledger: LedgerStore,
    dataset: Dataset,
    release: str,
    reason: str,
    signer: ReleaseSigner,
    now: datetime,
) -> str | None:
    """Withdraw a release; returns the name of the release that is now current for its month, or None.

    `now` is the time of the call. The spend stays in the ledger. The action is first written to the audit log. The erratum is
    published before the pointer is replaced, so no reader serves the release after this returns. Raises CannotWithdraw,
    BuildUnderWay.
    """
    begun = datetime.now(UTC)
    with builder_lock(releases, ledger):
        ensure_released(releases, dataset, release)
        month = release.split(".", maxsplit=1)[0]
        path = layout.erratum_file(releases, dataset.name, release)
        if path.exists() and read_pointer(layout.pointer_file(releases, dataset.name, month)) != release:
            raise CannotWithdraw(
                f"{dataset.name} {release} was withdrawn already; its erratum is {path.name}"
            )
        if not path.exists():  # otherwise an earlier withdrawal was interrupted, and is completed now
            ensure_reason(reason)
            signer.record("release.withdrawn", f"{dataset.name}/{release}", reason.strip())
            moments = ReleaseHistory(releases, signer.verify).timestamps(dataset.name)
            # however long recording took, no reader has already answered for the second in which the erratum appears
            now += datetime.now(UTC) - begun
            erratum = Erratum(
                dataset=dataset.name,
                release=release,
                month=month,
                withdrawn_at=action_timestamp(moments, now).isoformat(),
                reason=reason.strip(),
            )
            publish_signed_document(
                path, erratum.model_dump_json(indent=1).encode() + b"\n", signer, "erratum"
            )
        return update_pointer(releases, dataset.name, month, signer.verify)


def ensure_released(releases: Path, dataset: Dataset, release: str) -> None:
    """Raises CannotWithdraw if there is no such release."""
    names = layout.release_names(releases, dataset.name)
    if release not in names:
        raise CannotWithdraw(
            f"{dataset.name} has no release {printable(release)!r}; it has {', '.join(names) or 'none'}",
            parameter="release",
            value=release,
            suggestions=nearest(release, names),
        )


def ensure_reason(reason: str) -> None:
    """Raises CannotWithdraw if the reason is too short, too long or not printable."""
    if not (10 <= len(reason.strip()) <= 1000 and reason.isprintable()):
        raise CannotWithdraw(
            "a withdrawal or rollback needs a reason that researchers can use: a sentence of 10 to 1000 printable characters",
            parameter="reason",
            value=reason,
        )
