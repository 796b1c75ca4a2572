"""The ledger spends a month once, keeps to its caps, and reveals any change."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.period import Month
from datasets.privacy.ledger import (
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


def test_a_month_and_a_year_have_caps_over_all_datasets(entries):
    full = reserved(entries, spend(dataset="recommendations", nano=2 * NANO // 10))
    with pytest.raises(BudgetSpent, match="of the 0.5 that the month 2026-06 may cost"):
        reserved(full, spend(dataset="reports", nano=1))
    year: list[Entry] = []
    for month in range(1, 7):
        year = reserved(year, spend(month=f"2026-{month:02}", nano=NANO // 2))
    with pytest.raises(BudgetSpent, match="of the 3 that the year 2026 may cost"):
        reserved(year, spend(month="2026-07", nano=1))
    assert reserved(year, spend(month="2027-01", nano=NANO // 2))
    ensure_chain(year, CAPS)
    with pytest.raises(LedgerBroken, match="spends 3 rho on 2026, over the cap of 2"):
        ensure_chain(year, replace(CAPS, year=Fraction(2)))
    with pytest.raises(LedgerBroken, match=r"spends 0\.5 rho on 2026-01, over the cap of 0\.4"):
        ensure_chain(year, replace(CAPS, month=Fraction(2, 5)))


def test_a_reservation_is_closed_once(entries):
    with pytest.raises(LedgerBroken, match="is closed already"):
        commit(entries, entries[0], time="t", input_hash="i", release="r", artefact_hash="a")
    with pytest.raises(LedgerBroken, match="is closed already"):
        void(entries, entries[0], time="t", reason="r")


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


@given(st.lists(st.tuples(st.integers(1, 14), st.integers(1, NANO // 2), st.booleans()), max_size=40))
@settings(deadline=None, derandomize=True)
def test_no_series_of_spends_passes_a_cap(asked):
    entries: list[Entry] = []
    for number, nano, keep in asked:
        month = str(Month(2026 + (number - 1) // 12, (number - 1) % 12 + 1))
        try:
            entries = reserved(entries, spend(month=month, nano=nano), reason="again")
        except BudgetSpent:
            continue
        entries = committed(entries) if keep else entries
    ensure_chain(entries, CAPS)
    by_month = rho_by_month(entries)
    assert all(rho <= CAPS.month for rho in by_month.values())
    for year in (2026, 2027):
        assert sum(rho for month, rho in by_month.items() if month.year == year) <= CAPS.year
