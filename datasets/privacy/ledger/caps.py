"""The caps of the ledger, for each class of units: the most rho in one data month, and in any twelve consecutive ones.

The class alone decides which caps a spend counts against, never the role that a unit has in a dataset: one human may have
several roles, so the datasets add up (docs/privacy/ledger.md#caps).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from datasets.refusal import Refusal

UnitClass = Literal["person", "event of an organisation"]
PERSON: UnitClass = "person"
ORGANISATION_EVENT: UnitClass = "event of an organisation"
UNIT_CLASSES: tuple[UnitClass, ...] = (PERSON, ORGANISATION_EVENT)

REGULAR_MONTH = Fraction(1, 4)
REGULAR_MONTH_TO_COME = Fraction(22, 100)
PERSON_MONTH = Fraction(1, 2)
PERSON_MONTH_TO_COME = Fraction(3, 10)
PERSON_YEAR = Fraction(3)
ORGANISATION_EVENT_MONTH = Fraction(15, 100)
ORGANISATION_EVENT_YEAR = Fraction(3, 2)


class BudgetSpent(Refusal):
    """A spend that would exceed what is allowed for a month, twelve months, or a dataset and month."""


@dataclass(frozen=True, slots=True)
class ClassCaps:
    """The most rho that may be spent on one unit of a class: in a data month, and in any twelve consecutive data months."""

    month: Fraction
    year: Fraction


@dataclass(frozen=True, slots=True)
class Caps:
    """The most rho that may be spent over all datasets: on one person, and on one event of an organisation.

    A year is any twelve consecutive data months, so also a calendar year (docs/privacy/ledger.md#caps).
    """

    month: Fraction = PERSON_MONTH
    year: Fraction = PERSON_YEAR
    organisation_month: Fraction = ORGANISATION_EVENT_MONTH
    organisation_year: Fraction = ORGANISATION_EVENT_YEAR

    def of(self, unit_class: UnitClass) -> ClassCaps:
        """The caps of one class.

        >>> Caps().of(ORGANISATION_EVENT)
        ClassCaps(month=Fraction(3, 20), year=Fraction(3, 2))
        """
        if unit_class == PERSON:
            return ClassCaps(self.month, self.year)
        return ClassCaps(self.organisation_month, self.organisation_year)
