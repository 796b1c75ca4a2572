"""What a spend would cost and leave: in its data month, and in the fullest twelve months that contain it, for each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from datasets.privacy.ledger.caps import PERSON, UNIT_CLASSES, Caps, UnitClass
from datasets.privacy.ledger.entries import Entry, Spend
from datasets.privacy.ledger.windows import MonthlySpends
from datasets.privacy.zcdp import NANO


@dataclass(frozen=True, slots=True)
class Room:
    """The data months `first` to `last` (YYYY-MM): their cap, and what was spent on them; in billionths of rho."""

    first: str
    last: str
    cap: int
    spent: int

    def fits(self, cost: int) -> int:
        """How many spends of this cost fit."""
        return max(0, self.cap - self.spent) // cost

    def left_after(self, cost: int) -> Fraction:
        """The rho that one spend of this cost leaves; negative if it does not fit."""
        return Fraction(self.cap - self.spent - cost, NANO)


@dataclass(frozen=True, slots=True)
class Outlook:
    """One spend on a class of units: its cost in billionths of rho, the room of its month, and that of the fullest year."""

    unit_class: UnitClass
    cost: int
    month: Room
    year: Room

    @property
    def fits(self) -> int:
        """How many spends of this cost fit in the month and in every twelve months that contain it."""
        return min(self.month.fits(self.cost), self.year.fits(self.cost))


def outlook(entries: Sequence[Entry], spend: Spend, caps: Caps) -> tuple[Outlook, ...]:
    """What a spend would cost and leave in each class that it spends on. It reserves nothing.

    The fullest window decides, since all windows have the same cap (docs/privacy/ledger.md#caps). Raises LedgerBroken if an
    entry has no month.
    """
    spends = MonthlySpends(entries)
    own = spend.nano_rho, spend.organisation_nano_rho
    costs = dict(zip(UNIT_CLASSES, own if spend.unit_class == PERSON else (0, sum(own)), strict=True))
    return tuple(
        Outlook(unit_class, cost, *_rooms(spends, spend.month, unit_class, caps))
        for unit_class, cost in costs.items()
        if cost
    )


def _rooms(spends: MonthlySpends, month: str, unit_class: UnitClass, caps: Caps) -> tuple[Room, Room]:
    cap, window = caps.of(unit_class), spends.fullest_window(unit_class, month)
    return (
        Room(month, month, int(cap.month * NANO), spends.of_month(unit_class, month)),
        Room(window.first, window.last, int(cap.year * NANO), window.nano_rho),
    )
