"""Errata: why a release was withdrawn. The release itself is never edited; a signed document next to it says so.

A release that has such a document is not served, even if the signature is wrong. The reason is only repeated if the
signature is valid.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, ValidationError

from datasets.refusal import Refusal
from datasets.release.format import layout
from datasets.release.format.codebook import Frozen, Name
from datasets.release.format.signed import read_signed
from datasets.release.format.verification import ReleaseDamaged, Verify

log = logging.getLogger("daylight.release")


class Erratum(Frozen):
    """Which release was withdrawn, when, and why, as the admin stated it."""

    dataset: Name
    release: str = Field(pattern=r"^\d{4}-\d{2}\.[1-9]\d{0,3}$")
    month: str = Field(pattern=r"^\d{4}-\d{2}$")
    withdrawn_at: str
    reason: str = Field(min_length=3, max_length=1000)


class ReleaseWithdrawn(Refusal):
    """A release that was withdrawn; the detail says why, and which release replaces it."""

    def __init__(self, erratum: Erratum, current: str) -> None:
        successor = current if current.startswith(f"{erratum.month}.") and current != erratum.release else ""
        self.erratum = erratum
        self.successor = successor
        instead = "it has no successor yet"
        if successor:
            is_later = int(successor.split(".")[1]) > int(erratum.release.split(".")[1])
            instead = (
                f"its successor is {successor}"
                if is_later
                else f"{successor}, which it had corrected, is served again"
            )
        super().__init__(
            f"{erratum.dataset} {erratum.release} was withdrawn on {erratum.withdrawn_at[:10]}: {erratum.reason} "
            f"({instead}; all errata: /v1/errata)",
            parameter="release",
            value=erratum.release,
            suggestions=[successor] if successor else [],
        )


def erratum_of(root: Path, dataset: str, release: str, verify: Verify) -> Erratum | None:
    """Why a release was withdrawn; None if it was not."""
    if layout.RELEASE_NAME.fullmatch(release) is None:
        return None
    path = layout.erratum_file(root, dataset, release)
    if not path.exists():
        return None
    try:
        return read_erratum(root, dataset, release, verify)
    except Exception as error:  # the release is not served, whatever the error is
        log.warning("the erratum %s cannot be verified: %s", path.name, type(error).__name__)
    return Erratum(
        dataset=dataset,
        release=release,
        month=release.split(".", maxsplit=1)[0],
        withdrawn_at=datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(),
        reason="its erratum cannot be verified.",
    )


def read_erratum(root: Path, dataset: str, release: str, verify: Verify) -> Erratum:
    """The erratum of a release that has one. Raises ReleaseDamaged if its signature is wrong or it is of another release."""
    path = layout.erratum_file(root, dataset, release)
    try:
        found = Erratum.model_validate_json(read_signed(path, verify).text)
    except ValidationError:
        raise ReleaseDamaged(f"{path.name} is malformed") from None
    if (found.dataset, found.release) != (dataset, release):
        raise ReleaseDamaged(f"{path.name} is that of {found.dataset} {found.release}")
    return found


def errata(root: Path, dataset: str, verify: Verify) -> tuple[Erratum, ...]:
    """Every erratum of a dataset, by month and revision."""
    found = (erratum_of(root, dataset, name, verify) for name in layout.release_names(root, dataset))
    return tuple(erratum for erratum in found if erratum is not None)
