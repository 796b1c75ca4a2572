"""The privacy ledger: its entries and their hashes, the caps of the two classes of units, the rules, and what is left.

Storage is elsewhere: here are only entries and their sums (docs/privacy/ledger.md).
"""

from __future__ import annotations

from datasets.privacy.ledger.caps import (
    ORGANISATION_EVENT,
    PERSON,
    REGULAR_MONTH,
    UNIT_CLASSES,
    BudgetSpent,
    Caps,
    ClassCaps,
    UnitClass,
)
from datasets.privacy.ledger.entries import (
    GENESIS,
    Entry,
    LedgerBroken,
    Spend,
    canonical_members,
    day_of,
    head,
    open_reservations,
    rho_by_month,
    total_spend,
)
from datasets.privacy.ledger.outlook import Outlook, Room, outlook
from datasets.privacy.ledger.rules import commit, ensure_chain, reserve, void
from datasets.privacy.ledger.windows import MonthlySpends, Window

__all__ = [
    "GENESIS", "ORGANISATION_EVENT", "PERSON", "REGULAR_MONTH", "UNIT_CLASSES", "BudgetSpent", "Caps", "ClassCaps",
    "Entry", "LedgerBroken", "MonthlySpends", "Outlook", "Room", "Spend", "UnitClass", "Window", "canonical_members",
    "commit", "day_of", "ensure_chain", "head", "open_reservations", "outlook", "reserve", "rho_by_month",
    "total_spend", "void",
]  # fmt: skip
