"""Rollback: an earlier release of a month becomes current again; the later release is not withdrawn."""

from __future__ import annotations

from pathlib import Path

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.operations.withdrawal import ensure_reason, ensure_released
from datasets.pipeline.output.publication import (
    builder_lock,
    publish_signed_document,
    read_pointer,
    update_pointer,
)
from datasets.pipeline.state.context import BuildContext
from datasets.refusal import Refusal
from datasets.release.format import layout
from datasets.release.format.rollbacks import Rollback
from datasets.release.format.timestamps import action_timestamp
from datasets.release.format.verification import verified_manifest
from datasets.release.store.history import ReleaseHistory


class CannotRollBack(Refusal):
    """A release that cannot become the current one of its month again."""


def roll_back(context: BuildContext, dataset: Dataset, month: Month, to: str, reason: str) -> str:
    """Make an earlier release of a month current again; returns the name of the release that was current until now.

    The privacy spend does not change. The action is first written to the audit log, then its signed document is published,
    then the pointer is replaced. If it is interrupted in between, calling it again completes it. Raises CannotRollBack;
    CannotWithdraw if the release does not exist or the reason is unsuitable; ReleaseDamaged if the earlier release is not as
    it was signed; BuildUnderWay.
    """
    root, verify = context.releases, context.signer.verify
    with builder_lock(root, context.ledger):
        ensure_released(root, dataset, to)
        before = read_pointer(layout.pointer_file(root, dataset.name, month))
        _ensure_can_roll_back(root, dataset, month, to, before)
        verified_manifest(layout.release_folder(root, dataset.name, to), verify)
        archive = ReleaseHistory(root, verify)
        if archive.current(dataset.name).get(str(month)) != to:
            ensure_reason(reason)
            context.signer.record("release.rolled-back", f"{dataset.name}/{to}", reason.strip())
            # last, so that no reader has already answered for the second in which the document appears
            at = action_timestamp(archive.timestamps(dataset.name), context.now())
            number = len(layout.rollback_files(root, dataset.name, month)) + 1
            rollback = Rollback(
                dataset=dataset.name, month=str(month), number=number, release=to, instead_of=before,
                rolled_back_at=at.isoformat(), reason=reason.strip(),
            )  # fmt: skip
            path = layout.rollback_file(root, dataset.name, month, number)
            publish_signed_document(
                path, rollback.model_dump_json(indent=1).encode() + b"\n", context.signer, "rollback"
            )
        update_pointer(root, dataset.name, str(month), verify)
        return before


def _ensure_can_roll_back(root: Path, dataset: Dataset, month: Month, to: str, before: str) -> None:
    problem = ""
    if not to.startswith(f"{month}."):
        problem = f"is not a release of {month}"
    elif layout.erratum_file(root, dataset.name, to).exists():
        problem = "was withdrawn and is not served again"
    elif to == before:
        problem = "is current already"
    if problem:
        raise CannotRollBack(
            f"{dataset.name} {to} {problem}; name an earlier release of {month}, as daylight release list shows them",
            parameter="to",
            value=to,
        )
