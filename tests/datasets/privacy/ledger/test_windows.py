"""Caps hold for every twelve consecutive data months, and for each class of units apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from datasets.privacy.ledger import (
    ORGANISATION_EVENT,
    PERSON,
    UNIT_CLASSES,
    BudgetSpent,
    Caps,
    Entry,
    LedgerBroken,
    Spend,
    commit,
    ensure_chain,
    reserve,
    rho_by_month,
    total_spend,
    void,
)

CAPS = Caps()
NANO = 10**9


def reserved(
    entries: Sequence[Entry], month: str, persons: str = "0", organisations: str = "0", *, role: str = "x"
) -> list[Entry]:
    """The entries with a further reservation: rho for a person, rho for an event of an organisation."""
    nano, organisation_nano = (int(Fraction(rho) * NANO) for rho in (persons, organisations))
    spend = Spend("moderation", month, "person", "", nano, "plan", PERSON, role, organisation_nano)
    return [*entries, reserve(entries, spend, caps=CAPS, time="t", reason="again")]


def months(first: int, last: int) -> list[str]:
    """Months by number; 1 is 2026-01, 13 is 2027-01."""
    return [f"{2026 + (n - 1) // 12}-{(n - 1) % 12 + 1:02}" for n in range(first, last + 1)]


@pytest.fixture
def two_years() -> list[Entry]:
    """A quarter rho in each of 24 months: every window of twelve is full."""
    entries: list[Entry] = []
    for month in months(1, 24):
        entries = reserved(entries, month, "1/4")
    return entries


def test_twelve_months_across_new_year_have_the_cap_of_any_twelve() -> None:
    """Half a rho from July to June: each calendar year would have had room for 3."""
    entries: list[Entry] = []
    for month in months(7, 12):
        entries = reserved(entries, month, "1/2")
    with pytest.raises(
        BudgetSpent, match="of the 3 that the twelve months 2026-02 to 2027-01 may cost a person"
    ):
        reserved(entries, "2027-01", "0.1")
    assert reserved(entries, "2027-07", "1/2"), "2026-07 is not in its twelve months"
    with pytest.raises(BudgetSpent, match="the twelve months 2026-07 to 2027-06"):
        reserved(entries, "2027-06", "0.000000001")


def test_a_correction_of_an_old_month_must_fit_every_window_that_contains_it(two_years: list[Entry]) -> None:
    for month in months(1, 24):
        with pytest.raises(BudgetSpent, match="the twelve months"):
            reserved(two_years, month, "0.001")


@pytest.mark.parametrize("full", [0, 5, 11])
def test_one_full_window_of_the_twelve_is_enough_to_refuse(full: int) -> None:
    """Month 12 is in the windows that begin in the months 1 to 12; only the one that begins in month `full` + 1 has 3 rho."""
    first = full + 1
    entries: list[Entry] = []
    for month in months(1, 23):
        entries = reserved(entries, month, "0.001")
    for month in months(first, first + 11):
        entries = reserved(entries, month, "0.249")
    begin, *_, end = months(first, first + 11)
    with pytest.raises(BudgetSpent, match=f"the twelve months {begin} to {end} may cost"):
        reserved(entries, "2026-12", "0.000000001")


def test_a_chain_whose_window_is_too_full_is_broken_at_the_entry_that_filled_it(
    two_years: list[Entry],
) -> None:
    ensure_chain(two_years, CAPS)
    narrower = replace(CAPS, year=Fraction("2.9"))
    with pytest.raises(
        LedgerBroken,
        match="entry 12: spends 3 rho on the twelve months 2026-01 to 2026-12, over the cap of 2.9",
    ):
        ensure_chain(two_years, narrower)


def test_months_at_the_ends_of_the_calendar_have_windows() -> None:
    entries = reserved(reserved([], "1970-01", "0.1"), "9998-12", "0.1", "0.1")
    ensure_chain(entries, CAPS)
    assert [total_spend(entries, one) for one in UNIT_CLASSES] == [NANO // 5, NANO // 10]


def test_persons_and_events_of_organisations_have_caps_of_their_own() -> None:
    entries = reserved([], "2026-06", "0.5")
    entries = reserved(entries, "2026-06", "0", "0.15")
    with pytest.raises(BudgetSpent, match="of the 0.5 that the month 2026-06 may cost a person over all"):
        reserved(entries, "2026-06", "0.001")
    with pytest.raises(
        BudgetSpent, match="of the 0.15 that the month 2026-06 may cost an event of an organisation"
    ):
        reserved(entries, "2026-06", "0", "0.001")
    ensure_chain(entries, CAPS)
    full = reserved([], "2026-01", "0", "0.15")
    for month in months(2, 10):
        full = reserved(full, month, "0.1", "0.15")
    with pytest.raises(
        BudgetSpent, match="of the 1.5 that the twelve months .* may cost an event of an organisation"
    ):
        reserved(full, "2026-11", "0.1", "0.000000001")
    assert reserved(full, "2026-11", "0.1")


def test_one_build_spends_in_both_classes_by_one_entry_that_is_closed_once() -> None:
    """The entry is refused as a whole if either class has no room; a void one stays counted in both."""
    entries = reserved([], "2026-06", "0.05", "0.05")
    assert [total_spend(entries, one) for one in UNIT_CLASSES] == [NANO // 20, NANO // 20]
    with pytest.raises(BudgetSpent, match="an event of an organisation"):
        reserved(entries, "2026-06", "0.05", "0.11")
    closed = [*entries, void(entries, entries[0], time="t", reason="the build failed")]
    ensure_chain(closed, CAPS)
    assert [total_spend(closed, one) for one in UNIT_CLASSES] == [NANO // 20, NANO // 20]
    with pytest.raises(LedgerBroken, match="is closed already"):
        commit(closed, closed[0], time="t", input_hash="i", release="r", artefact_hash="a")


def test_the_caps_read_the_class_and_not_the_role() -> None:
    """Under whatever role a human is counted, the months of all roles add up."""
    entries = reserved([], "2026-06", "0.3", role="the account restricted")
    with pytest.raises(BudgetSpent, match="0.3 are spent"):
        reserved(entries, "2026-06", "0.3", role="whoever complained")
    assert {entry.role for entry in entries} == {"the account restricted"}


def test_a_dataset_of_organisations_alone_spends_in_their_class() -> None:
    spend = Spend(
        "traders", "2026-06", "event of an organisation", "", NANO // 10, "plan", ORGANISATION_EVENT
    )
    entries = [reserve([], spend, caps=CAPS, time="t")]
    assert [total_spend(entries, one) for one in UNIT_CLASSES] == [0, NANO // 10]
    assert [list(rho_by_month(entries, one).values()) for one in UNIT_CLASSES] == [[0], [Fraction(1, 10)]]
    with pytest.raises(
        ValueError, match="where the class is 'event of an organisation', nano_rho has the whole spend"
    ):
        replace(spend, organisation_nano_rho=1)


def test_a_month_that_is_none_is_refused_in_a_chain() -> None:
    entry = replace(reserved([], "2026-06", "0.1")[0], month="2026-13")
    with pytest.raises(LedgerBroken, match="ledger entry 1: "):
        ensure_chain([entry], CAPS)
