"""What a correction would spend and leave is what the ledger then allows and no more."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from datasets.period import Month
from datasets.privacy.ledger import (
    ORGANISATION_EVENT,
    PERSON,
    BudgetSpent,
    Caps,
    Entry,
    Spend,
    outlook,
    reserve,
)
from tests.datasets.privacy.schemas import often

NANO = 10**9
CAPS = Caps()
MONTHS = [str(Month(2026 + n // 12, n % 12 + 1)) for n in range(23)]
DECEMBER = Spend("moderation", "2026-12", "person", "", NANO // 20, "plan", PERSON, "x", NANO // 50)


def append(entries: list[Entry], spend: Spend) -> bool:
    """Reserve a spend; whether it was allowed."""
    try:
        entries.append(reserve(entries, spend, caps=CAPS, time="t", reason="again"))
    except BudgetSpent:
        return False
    return True


@given(
    st.lists(
        st.tuples(st.sampled_from(MONTHS), st.integers(0, NANO // 4), st.integers(0, NANO // 8)), max_size=40
    )
)
@often
def test_as_many_corrections_fit_as_the_outlook_says(earlier: list[tuple[str, int, int]]) -> None:
    entries: list[Entry] = []
    for month, nano, organisation_nano in earlier:
        append(
            entries, replace(DECEMBER, month=month, nano_rho=nano, organisation_nano_rho=organisation_nano)
        )
    fits = min(found.fits for found in outlook(entries, DECEMBER, CAPS))
    assert [append(entries, DECEMBER) for _ in range(fits + 1)] == [True] * fits + [False]


def test_the_outlook_names_the_fullest_twelve_months_that_contain_the_month() -> None:
    entries: list[Entry] = []
    for month in MONTHS[2:14]:
        append(entries, replace(DECEMBER, month=month, nano_rho=24 * NANO // 100))
    persons, organisations = outlook(entries, DECEMBER, CAPS)
    assert (persons.unit_class, organisations.unit_class) == (PERSON, ORGANISATION_EVENT)
    assert (persons.year.first, persons.year.last) == ("2026-03", "2027-02")
    assert persons.year.left_after(persons.cost) == 3 - 12 * Fraction(24, 100) - Fraction(5, 100)
    assert persons.month.left_after(persons.cost) == Fraction(1, 2) - Fraction(24, 100) - Fraction(5, 100)
    assert (persons.month.fits(persons.cost), persons.fits) == (5, 2)
    assert organisations.month.left_after(organisations.cost) == Fraction(15, 100) - 2 * Fraction(2, 100)


def test_seven_corrections_of_a_twentieth_fit_into_a_regular_year_of_the_month_to_come() -> None:
    """12 · 0.22 = 2.64 leaves 0.36: seven corrections of 0.05; 0.30 a month leaves room for one of them in each month."""
    caps = Caps(month=Fraction(3, 10))
    entries: list[Entry] = []
    for month in MONTHS[:12]:
        append(entries, replace(DECEMBER, month=month, nano_rho=22 * NANO // 100, organisation_nano_rho=0))
    (found,) = outlook(entries, replace(DECEMBER, organisation_nano_rho=0), caps)
    assert (found.month.fits(found.cost), found.year.fits(found.cost)) == (1, 7)


def test_a_spend_that_does_not_fit_leaves_less_than_nothing_and_fits_not_once() -> None:
    (found,) = outlook([], Spend("ads", "2026-12", "person", "", NANO, "plan"), CAPS)
    assert (found.fits, found.month.left_after(found.cost)) == (0, Fraction(-1, 2))
