"""Taking back a release that should not be used.

It stays where it is; a signed erratum beside it says why, and readers refuse it.
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
    """A release that is not there, or was withdrawn before; or a reason that says nothing."""


def withdraw(
    releases: Path,
    ledger: LedgerStore,
    dataset: Dataset,
    release: str,
    reason: str,
    seal: ReleaseSigner,
    now: datetime,
) -> str | None:
    """Withdraw a release; gives the release that is current for its month from now on, if there is one.

    `now` is when it is called. The spend stays in the ledger. The act is on record first; the erratum is there before the
    pointer moves, so no reader serves the release after this returns. Raises CannotWithdraw, BuildUnderWay.
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
        if not path.exists():  # otherwise an earlier withdrawal was cut off half-way, and is finished
            ensure_reason(reason)
            seal.record("release.withdrawn", f"{dataset.name}/{release}", reason.strip())
            moments = ReleaseHistory(releases, seal.verify).timestamps(dataset.name)
            # however long that took, no reader has answered yet for the second in which the erratum appears
            now += datetime.now(UTC) - begun
            erratum = Erratum(
                dataset=dataset.name,
                release=release,
                month=month,
                withdrawn_at=action_timestamp(moments, now).isoformat(),
                reason=reason.strip(),
            )
            publish_signed_document(path, erratum.model_dump_json(indent=1).encode() + b"\n", seal, "erratum")
        return update_pointer(releases, dataset.name, month, seal.verify)


def ensure_released(releases: Path, dataset: Dataset, release: str) -> None:
    """Raises CannotWithdraw where there is no such release."""
    names = layout.release_names(releases, dataset.name)
    if release not in names:
        raise CannotWithdraw(
            f"{dataset.name} has no release {printable(release)!r}; it has {', '.join(names) or 'none'}",
            parameter="release",
            value=release,
            suggestions=nearest(release, names),
        )


def ensure_reason(reason: str) -> None:
    """Raises CannotWithdraw where a reason would tell researchers nothing."""
    if not (10 <= len(reason.strip()) <= 1000 and reason.isprintable()):
        raise CannotWithdraw(
            "taking back a release needs a reason that researchers can use: a sentence of 10 to 1000 printable characters",
            parameter="reason",
            value=reason,
        )
