"""The entries of the privacy ledger: an append-only hash chain, and the sums of its spends.

Every entry holds the hash of the one before it, and the hash of the last entry, the head, is written into every manifest
(docs/privacy/ledger.md#entries).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Literal

from datasets.period import Month
from datasets.privacy.ledger.caps import ORGANISATION_EVENT, PERSON, UnitClass
from datasets.privacy.zcdp import NANO
from datasets.refusal import Refusal

State = Literal["reserved", "committed", "void"]
GENESIS = "0" * 64
"""The previous hash of the first entry."""

_LEFT_OUT: Mapping[str, object] = {"class": "", "role": "", "organisation_nano_rho": 0}
"""Members that version 0.1.0 did not have. They are left out of an entry that lacks them, so that its hash stays the same."""


class LedgerBroken(Refusal):
    """A chain that does not verify; the message names the first entry that is wrong."""


@dataclass(frozen=True, slots=True)
class Spend:
    """The spend of one build: rho in whole billionths, rounded up, for one dataset and month.

    `nano_rho` is spent on each unit of class `unit_class`, whose role in this dataset is `role`. A build that counts persons
    and events of organisations makes one spend, whose second part is `organisation_nano_rho` (docs/decisions/0031).
    Raises ValueError if a part is negative, or if both parts are of organisations.
    """

    dataset: str
    month: str
    unit: str
    rows_per_unit: str
    nano_rho: int
    plan_hash: str
    unit_class: UnitClass = PERSON
    role: str = ""
    organisation_nano_rho: int = 0

    def __post_init__(self) -> None:
        if min(self.nano_rho, self.organisation_nano_rho) < 0:
            raise ValueError(
                f"a spend of {self.nano_rho} and {self.organisation_nano_rho} is negative; both must be at least 0"
            )
        if self.organisation_nano_rho and self.unit_class != PERSON:
            raise ValueError(
                f"organisation_nano_rho={self.organisation_nano_rho} is beside a spend on persons; where the class is "
                f"{self.unit_class!r}, nano_rho has the whole spend"
            )


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. Only entries in state `reserved` have a spend; the others name its entry in `of`.

    `unit_class` is called `class` in JSON. Entries of version 0.1.0 have neither class nor role; their unit is a person.
    """

    seq: int
    previous: str
    time: str
    state: State
    of: int | None
    dataset: str
    month: str
    unit: str
    rows_per_unit: str
    nano_rho: int
    plan_hash: str
    input_hash: str = ""
    release: str = ""
    artefact_hash: str = ""
    reason: str = ""
    unit_class: UnitClass | Literal[""] = ""
    role: str = ""
    organisation_nano_rho: int = 0

    @property
    def hash(self) -> str:
        """SHA-256 over the entry as canonical JSON; it includes the hash of the entry before."""
        text = json.dumps(canonical_members(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def spent_on(self, unit_class: UnitClass) -> int:
        """The billionths of rho that this entry spends on each unit of a class; a class that is not stated is a person."""
        own = self.nano_rho if (self.unit_class or PERSON) == unit_class else 0
        return own + (self.organisation_nano_rho if unit_class == ORGANISATION_EVENT else 0)


def canonical_members(entry: Entry) -> dict[str, Any]:
    """The members of an entry in JSON, without its hash: what is hashed, and what is published."""
    members = asdict(entry)
    members["class"] = members.pop("unit_class")
    return {
        name: value for name, value in members.items() if name not in _LEFT_OUT or value != _LEFT_OUT[name]
    }


def head(entries: Sequence[Entry]) -> str:
    """The hash that the next entry must name."""
    return entries[-1].hash if entries else GENESIS


def day_of(now: datetime) -> str:
    """The time of an entry: only the day, in UTC.

    The ledger is public, and the duration of a build since its reservation would reveal how many rows there were.

    >>> day_of(datetime(2026, 7, 1, 23, 59, 58, tzinfo=UTC))
    '2026-07-01'
    """
    return now.astimezone(UTC).date().isoformat()


def open_reservations(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The reservations that are neither committed nor void."""
    closed = {entry.of for entry in entries}
    return tuple(entry for entry in entries if entry.state == "reserved" and entry.seq not in closed)


def total_spend(entries: Iterable[Entry], unit_class: UnitClass = PERSON) -> int:
    """The sum of spends on a class, in billionths of rho; reserved, committed and void spends all count."""
    return sum(entry.spent_on(unit_class) for entry in entries)


def rho_by_month(entries: Iterable[Entry], unit_class: UnitClass = PERSON) -> dict[Month, Fraction]:
    """The rho spent on a unit of a class in each month that has entries, over all datasets."""
    months: dict[Month, Fraction] = {}
    for entry in entries:
        month = Month.parse(entry.month)
        months[month] = months.get(month, Fraction(0)) + Fraction(entry.spent_on(unit_class), NANO)
    return dict(sorted(months.items()))
