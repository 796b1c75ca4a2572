"""The ledger spends a month once, keeps to its caps, and reveals any change."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.period import Month
from datasets.privacy.ledger import (
    UNIT_CLASSES,
    BudgetSpent,
    Caps,
    Entry,
    LedgerBroken,
    Spend,
    commit,
    ensure_chain,
    head,
    reserve,
    rho_by_month,
    total_spend,
    void,
)

CAPS = Caps()
NANO = 10**9


def spend(month="2026-06", dataset="moderation", nano=NANO // 10):
    return Spend(dataset, month, "person", "actions 20", nano, "0" * 64)


def reserved(entries, asked, **options):
    return [*entries, reserve(entries, asked, caps=CAPS, time="t", **options)]


def committed(entries):
    open_ = next(e for e in reversed(entries) if e.state == "reserved")
    return [*entries, commit(entries, open_, time="t", input_hash="i", release="r", artefact_hash="a")]


@pytest.fixture
def entries():
    made = committed(reserved([], spend()))
    made = reserved(made, spend(dataset="ads"))
    made = [*made, void(made, made[-1], time="t", reason="power cut")]
    return committed(reserved(made, spend(dataset="ads")))


def test_a_released_month_is_not_spent_again_without_a_reason(entries):
    with pytest.raises(BudgetSpent, match=r"moderation 2026-06 is already spent: 0\.1 rho"):
        reserved(entries, spend())
    assert reserved(entries, spend(), reason="a correction")[-1].reason == "a correction"


def test_the_spend_of_a_failed_build_still_counts(entries):
    assert total_spend(entries) == 3 * NANO // 10
    assert rho_by_month(entries) == {Month(2026, 6): Fraction(3, 10)}


def test_a_month_and_any_twelve_months_have_caps_over_all_datasets(entries):
    full = reserved(entries, spend(dataset="recommendations", nano=2 * NANO // 10))
    with pytest.raises(
        BudgetSpent, match="of the 0.5 that the month 2026-06 may cost a person over all datasets 0.5"
    ):
        reserved(full, spend(dataset="reports", nano=1))
    year: list[Entry] = []
    for month in range(1, 7):
        year = reserved(year, spend(month=f"2026-{month:02}", nano=NANO // 2))
    with pytest.raises(
        BudgetSpent, match="of the 3 that the twelve months 2025-08 to 2026-07 may cost a person"
    ):
        reserved(year, spend(month="2026-07", nano=1))
    assert reserved(year, spend(month="2027-06", nano=NANO // 2))
    ensure_chain(year, CAPS)
    with pytest.raises(
        LedgerBroken,
        match="ledger entry 5: spends 2.5 rho on the twelve months .*, over the cap of 2 of class",
    ):
        ensure_chain(year, replace(CAPS, year=Fraction(2)))
    with pytest.raises(
        LedgerBroken,
        match=r"entry 1: spends 0\.5 rho on the month 2026-01, over the cap of 0\.4 of class 'person'",
    ):
        ensure_chain(year, replace(CAPS, month=Fraction(2, 5)))


def test_a_cap_that_is_no_whole_number_of_billionths_is_not_passed_by_one():
    third = replace(CAPS, month=Fraction(1, 3))
    reserve([], spend(nano=333_333_333), caps=third, time="t")
    with pytest.raises(BudgetSpent):
        reserve([], spend(nano=333_333_334), caps=third, time="t")


def test_a_reservation_is_closed_once(entries):
    with pytest.raises(LedgerBroken, match="is closed already"):
        commit(entries, entries[0], time="t", input_hash="i", release="r", artefact_hash="a")
    with pytest.raises(LedgerBroken, match="is closed already"):
        void(entries, entries[0], time="t", reason="r")
    again = replace(entries[1], seq=len(entries) + 1, previous=head(entries), release="r2")
    with pytest.raises(
        LedgerBroken, match="is committed of entry 1, no open reservation; each is closed once"
    ):
        ensure_chain([*entries, again], CAPS)
    for of in (None, 2, len(entries) + 1):
        with pytest.raises(LedgerBroken, match="no open reservation"):
            ensure_chain([*entries, replace(again, of=of)], CAPS)


@pytest.mark.parametrize("edit", [{"nano_rho": -1}, {"organisation_nano_rho": -1}])
def test_no_entry_gives_budget_back(entries, edit):
    later = replace(entries[0], seq=len(entries) + 1, previous=head(entries), **edit)
    with pytest.raises(LedgerBroken, match="spends less than nothing"):
        ensure_chain([*entries, later], CAPS)
    taken = reserved(entries, spend(dataset="recommendations"))
    closing = replace(void(taken, taken[-1], time="t", reason="r"), **edit)
    with pytest.raises(LedgerBroken, match="only a reservation has a spend"):
        ensure_chain([*taken, closing], CAPS)
    with pytest.raises(ValueError, match="is negative; both must be at least 0"):
        replace(spend(), **edit)


FIELDS = [
    "seq",
    "previous",
    "time",
    "state",
    "of",
    "dataset",
    "month",
    "nano_rho",
    "plan_hash",
    "release",
    "reason",
    "unit_class",
    "role",
    "organisation_nano_rho",
]


@pytest.mark.parametrize("field", FIELDS)
def test_an_edit_of_any_member_is_found(entries, field):
    ensure_chain(entries, CAPS)
    for at in range(len(entries) - 1):
        value = getattr(entries[at], field)
        changed = (value or 0) + 1 if isinstance(value, int | None) else value + "x"
        with pytest.raises(LedgerBroken):
            ensure_chain([*entries[:at], replace(entries[at], **{field: changed}), *entries[at + 1 :]], CAPS)


def test_deleted_inserted_and_swapped_entries_are_found(entries):
    for at in range(len(entries) - 1):
        for broken in (
            entries[:at] + entries[at + 1 :],
            [*entries[: at + 1], entries[at], *entries[at + 1 :]],
            [*entries[:at], entries[at + 1], entries[at], *entries[at + 2 :]],
        ):
            with pytest.raises(LedgerBroken):
                ensure_chain(broken, CAPS)


MONTHS = [str(Month(2026 + n // 12, n % 12 + 1)) for n in range(18)]
COSTS = st.tuples(
    st.sampled_from(MONTHS), st.integers(1, NANO // 2), st.integers(0, NANO // 5), st.booleans()
)


@given(st.lists(COSTS, max_size=40))
@settings(deadline=None, derandomize=True)
def test_no_series_of_spends_passes_a_cap(asked):
    """The sums are computed here a second time, month by month, from every window of twelve months."""
    entries: list[Entry] = []
    for month, nano, of_organisations, keep in asked:
        wanted = replace(spend(month=month, nano=nano), organisation_nano_rho=of_organisations)
        try:
            entries = reserved(entries, wanted, reason="again")
        except BudgetSpent:
            continue
        entries = committed(entries) if keep else entries
    ensure_chain(entries, CAPS)
    for unit_class in UNIT_CLASSES:
        by_month, cap = rho_by_month(entries, unit_class), CAPS.of(unit_class)
        assert all(rho <= cap.month for rho in by_month.values())
        line = [by_month.get(Month.parse(month), Fraction(0)) for month in MONTHS]
        assert all(sum(line[first : first + 12]) <= cap.year for first in range(len(line)))
