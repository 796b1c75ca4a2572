"""Misfits: raw rows that do not count. A month in which none or too few rows fit is refused before anything is spent.

The decision is made from exact counts, so it is told to the operator alone: nobody else can distinguish a build that was
refused from one that was never tried (docs/privacy/not-published.md#refused-builds).
"""

from __future__ import annotations

import json

from datasets.definition import Dataset
from datasets.period import Month
from datasets.pipeline.engine.job import RowTotals
from datasets.pipeline.state.context import BuildContext
from datasets.refusal import Refusal

ACCEPTANCE_FILE = "misfits-accepted.json"
_FLAG = "accept_misfits"


class NoRowFits(Refusal):
    """No row of a month fits; nothing was spent."""


class TooManyMisfits(Refusal):
    """A month has more misfits than its declaration allows; nothing was spent."""


class BadAcceptance(Refusal):
    """The reason for accepting misfits is unsuitable."""


def record_acceptance(context: BuildContext, dataset: Dataset, month: Month, reason: str) -> None:
    """Write to the audit log that the operator accepts misfits, before a row is read: whether there are any is not in it.

    Raises BadAcceptance.
    """
    if not (10 <= len(reason.strip()) <= 1000 and reason.isprintable()):
        raise BadAcceptance(
            "--accept-misfits needs the reason why rows that do not fit may be left out: a sentence of 10 to 1000 printable "
            "characters",
            parameter=_FLAG, value=reason,
        )  # fmt: skip
    context.signer.record("release.misfits-accepted", f"{dataset.name}/{month}", reason.strip())


def ensure_rows_fit(
    context: BuildContext, dataset: Dataset, month: Month, totals: RowTotals, accepted: str | None
) -> None:
    """Raises NoRowFits and TooManyMisfits, whose sentences have exact counts of rows and are for the operator alone.

    With `accepted`, the reason why misfits are accepted, only a month with rows of which none fits is refused. The reason and
    the counts are then in a file beside the quarantine.
    """
    folder = context.quarantine_folder(dataset, month)
    if totals.read and not totals.kept:
        raise NoRowFits(
            f"none of the {totals.read:,} rows of {dataset.name} {month} fits ({_frequent(totals)}), so nothing was "
            f"published or spent; each row and its reason are in {folder}; correct the events, and check --month"
        )
    if accepted is None and totals.quarantined > dataset.max_misfits * totals.read:
        raise TooManyMisfits(
            f"{totals.quarantined:,} of the {totals.read:,} rows of {dataset.name} {month} do not count "
            f"({_frequent(totals)}), more than the {100 * float(dataset.max_misfits):.3g} % that its declaration allows, so "
            f"nothing was published or spent; each row and its reason are in {folder}; correct the events, or give "
            '--accept-misfits "REASON"',
            parameter=_FLAG,
        )
    if accepted is None and not totals.read:
        raise TooManyMisfits(
            f"the files of {dataset.name} {month} have no row, so nothing was published or spent; put the month's events "
            'there or, if nothing happened in it, give --accept-misfits "REASON"',
            parameter=_FLAG,
        )  # fmt: skip
    if accepted is not None:
        counts = {"read": totals.read, "kept": totals.kept, "reason": accepted.strip()}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / ACCEPTANCE_FILE).write_text(json.dumps(counts, indent=2) + "\n", encoding="utf-8")


def _frequent(totals: RowTotals) -> str:
    """The three most frequent reasons, with their numbers of rows."""
    found = sorted(totals.reasons.items(), key=lambda item: (-item[1], item[0]))
    return "; ".join(f"{reason}: {rows:,}" for reason, rows in found[:3]) + ("; …" if len(found) > 3 else "")
