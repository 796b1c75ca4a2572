"""Rollbacks: an earlier release of a month, which was not withdrawn, is made current again.

Each is a signed document next to the releases. No release is edited: the one that was replaced can still be asked by name.
"""

from __future__ import annotations

import logging
from pathlib import Path

from pydantic import Field, ValidationError

from datasets.release.format import layout
from datasets.release.format.codebook import Frozen, Name
from datasets.release.format.signed import read_signed
from datasets.release.format.verification import ReleaseDamaged, Verify

log = logging.getLogger("daylight.release")


class Rollback(Frozen):
    """Which release became current again, instead of which, when, and why, as the admin stated it."""

    dataset: Name
    month: str = Field(pattern=r"^\d{4}-\d{2}$")
    number: int = Field(ge=1)
    release: str = Field(pattern=r"^\d{4}-\d{2}\.[1-9]\d{0,3}$")
    instead_of: str
    rolled_back_at: str
    reason: str = Field(min_length=3, max_length=1000)


def read_rollback(path: Path, verify: Verify) -> Rollback:
    """The rollback in a file. Raises ReleaseDamaged if its signature is wrong or its name does not fit its contents."""
    try:
        found = Rollback.model_validate_json(read_signed(path, verify).text)
    except ValidationError:
        raise ReleaseDamaged(f"{path.name} is malformed") from None
    if layout.rollback_file(path.parent.parent, found.dataset, found.month, found.number) != path:
        raise ReleaseDamaged(f"{path.name} is that of {found.dataset} {found.month}, number {found.number}")
    return found


def rollbacks(root: Path, dataset: str, verify: Verify) -> tuple[Rollback, ...]:
    """Every rollback of a dataset whose signature is valid, by month and number."""
    found = []
    for path in layout.rollback_files(root, dataset):
        try:
            found.append(read_rollback(path, verify))
        except (ReleaseDamaged, OSError) as error:
            log.warning("leaving %s out of the record: %s", path.name, type(error).__name__)
    return tuple(found)
