"""The rules of the privacy ledger: which spend may be reserved, how a reservation is closed, and what a valid chain is.

A spend is reserved before any noise is drawn and counts from then on in any case; it is committed when the release is
published, or declared void when its build has failed, which refunds nothing (docs/privacy/ledger.md#caps).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from datasets.privacy.ledger.caps import PERSON, UNIT_CLASSES, BudgetSpent, Caps, UnitClass
from datasets.privacy.ledger.entries import GENESIS, Entry, LedgerBroken, Spend, State, head, total_spend
from datasets.privacy.ledger.windows import MonthlySpends
from datasets.privacy.zcdp import NANO, nano_rho

_FIRST_CAPS = Caps(month=Fraction(1, 2), year=Fraction(3))
"""The caps of version 0.1.0, whose year was the calendar year: its entries are verified by the rules they were made by."""


@dataclass(frozen=True, slots=True)
class _Allowance:
    """A period of data months, what was spent on it in billionths of rho, and the rho that may be spent on it."""

    unit_class: UnitClass
    period: str
    spent: int
    cap: Fraction

    def has_room_for(self, cost: int) -> bool:
        return self.spent + cost <= self.cap * NANO


def reserve(entries: Sequence[Entry], spend: Spend, *, caps: Caps, time: str, reason: str = "") -> Entry:
    """The entry that reserves a spend, on one class or on both.

    A month of a dataset is released once. A correction, which needs a `reason`, spends again within the caps, and so
    does a build after one that failed.
    Raises BudgetSpent if the month is spent or a cap would be exceeded.
    """
    earlier = [entry for entry in entries if (entry.dataset, entry.month) == (spend.dataset, spend.month)]
    if any(entry.state == "committed" for entry in earlier) and not reason:
        raise BudgetSpent(
            f"{spend.dataset} {spend.month} is already spent: {_rho_text(total_spend(earlier))} rho are in the ledger. "
            "A release is made once; to publish a correction, with new noise and a new spend, say why with --correction.",
            parameter="month",
            value=spend.month,
        )
    entry = _new_entry(
        entries, spend, "reserved", time=time, nano=spend.nano_rho,
        organisation_nano=spend.organisation_nano_rho, reason=reason,
    )  # fmt: skip
    before = MonthlySpends(entries)
    for unit_class in UNIT_CLASSES:
        if cost := entry.spent_on(unit_class):
            for allowance in _allowances(before, entry.month, unit_class, caps):
                _ensure_within(spend, cost, allowance)
    return entry


def _ensure_within(spend: Spend, cost: int, allowance: _Allowance) -> None:
    if not allowance.has_room_for(cost):
        unit = "a person" if allowance.unit_class == PERSON else "an event of an organisation"
        cap, spent = _rho_text(nano_rho(allowance.cap)), _rho_text(allowance.spent)
        raise BudgetSpent(
            f"{spend.dataset} {spend.month} would spend {_rho_text(cost)} rho, but of the {cap} that "
            f"{allowance.period} may cost {unit} over all datasets {spent} are spent.",
            parameter="month",
            value=spend.month,
        )


def _allowances(spends: MonthlySpends, month: str, unit_class: UnitClass, caps: Caps) -> Iterator[_Allowance]:
    """The month, and every twelve consecutive data months that contain it."""
    cap = caps.of(unit_class)
    spent = spends.of_month(unit_class, month)
    yield _Allowance(unit_class, f"the month {month}", spent, cap.month)
    for window in spends.windows(unit_class, month):
        period = f"the twelve months {window.first} to {window.last}"
        yield _Allowance(unit_class, period, window.nano_rho, cap.year)


def commit(
    entries: Sequence[Entry], reserved: Entry, *, time: str, input_hash: str, release: str, artefact_hash: str
) -> Entry:
    """The entry that records that a reserved spend became a release. Raises LedgerBroken if it is closed already."""
    _ensure_not_closed(entries, reserved)
    spend = _spend_of(reserved)
    return _new_entry(
        entries, spend, "committed", time=time, of=reserved.seq,
        input_hash=input_hash, release=release, artefact_hash=artefact_hash,
    )  # fmt: skip


def void(entries: Sequence[Entry], reserved: Entry, *, time: str, reason: str) -> Entry:
    """The entry that records that the build of a reserved spend failed. The spend still counts, in both classes.

    Raises LedgerBroken if the reservation is closed already.
    """
    _ensure_not_closed(entries, reserved)
    return _new_entry(entries, _spend_of(reserved), "void", time=time, of=reserved.seq, reason=reason)


def _ensure_not_closed(entries: Sequence[Entry], reserved: Entry) -> None:
    if any(entry.of == reserved.seq for entry in entries):
        raise LedgerBroken(f"ledger entry {reserved.seq} is closed already; each reservation is closed once")


def _spend_of(entry: Entry) -> Spend:
    return Spend(
        entry.dataset, entry.month, entry.unit, entry.rows_per_unit, entry.nano_rho, entry.plan_hash,
        entry.unit_class or PERSON, entry.role, entry.organisation_nano_rho,
    )  # fmt: skip


def _new_entry(
    entries: Sequence[Entry],
    spend: Spend,
    state: State,
    *,
    time: str,
    nano: int = 0,
    organisation_nano: int = 0,
    of: int | None = None,
    input_hash: str = "",
    release: str = "",
    artefact_hash: str = "",
    reason: str = "",
) -> Entry:
    return Entry(
        seq=len(entries) + 1, previous=head(entries), time=time, state=state, of=of, dataset=spend.dataset,
        month=spend.month, unit=spend.unit, rows_per_unit=spend.rows_per_unit, nano_rho=nano,
        plan_hash=spend.plan_hash, input_hash=input_hash, release=release, artefact_hash=artefact_hash, reason=reason,
        unit_class=spend.unit_class, role=spend.role, organisation_nano_rho=organisation_nano,
    )  # fmt: skip


def ensure_chain(entries: Sequence[Entry], caps: Caps) -> None:
    """Raises LedgerBroken at the first entry that is out of order, does not follow from the one before, closes what is no
    open reservation, or overspends.

    Entries of version 0.1.0 state no class. They are verified by the rules of that version: the calendar year instead of any
    twelve months, with its caps or larger ones.
    """
    previous, still_open, spends, stated = GENESIS, set[int](), MonthlySpends(), False
    for position, entry in enumerate(entries, 1):
        if entry.seq != position:
            raise LedgerBroken(
                f"ledger entry {position}: stands at number {entry.seq}; one is missing or was added"
            )
        if entry.previous != previous:
            raise LedgerBroken(
                f"ledger entry {position}: does not follow from the entry before; one of the two was edited"
            )
        if stated and not entry.unit_class:
            raise LedgerBroken(
                f"ledger entry {position}: states no class, as entries before it do; only version 0.1.0 wrote such entries"
            )
        previous, stated = entry.hash, bool(entry.unit_class)
        _ensure_state(entry, still_open)
        spends.add(entry)
        _ensure_kept_caps(entry, spends, caps)


def _ensure_state(entry: Entry, still_open: set[int]) -> None:
    """Raises LedgerBroken if an entry closes what is not open, or spends though it closes. Updates `still_open`."""
    if entry.state == "reserved" and entry.of is None:
        if min(entry.nano_rho, entry.organisation_nano_rho) < 0:
            raise LedgerBroken(f"ledger entry {entry.seq}: spends less than nothing")
        still_open.add(entry.seq)
    elif entry.state == "reserved" or entry.of not in still_open:
        raise LedgerBroken(
            f"ledger entry {entry.seq}: is {entry.state} of entry {entry.of}, no open reservation; each is closed once"
        )
    elif entry.nano_rho or entry.organisation_nano_rho:
        raise LedgerBroken(f"ledger entry {entry.seq}: only a reservation has a spend")
    else:
        still_open.remove(entry.of)


def _ensure_kept_caps(entry: Entry, spends: MonthlySpends, caps: Caps) -> None:
    """Raises LedgerBroken if the spends up to and with this entry exceed a cap."""
    for unit_class in UNIT_CLASSES:
        if not entry.spent_on(unit_class):
            continue
        if entry.unit_class or unit_class != PERSON:
            allowances = _allowances(spends, entry.month, unit_class, caps)
        else:
            allowances = _first_allowances(spends, entry, caps)
        for allowance in allowances:
            if not allowance.has_room_for(0):
                spent, cap = _rho_text(allowance.spent), _rho_text(nano_rho(allowance.cap))
                raise LedgerBroken(
                    f"ledger entry {entry.seq}: spends {spent} rho on {allowance.period}, over the cap of {cap} of class "
                    f"{unit_class!r}"
                )


def _first_allowances(spends: MonthlySpends, entry: Entry, caps: Caps) -> Iterator[_Allowance]:
    """What version 0.1.0 allowed for an entry: the month and the calendar year, for persons."""
    month, year = max(caps.month, _FIRST_CAPS.month), max(caps.year, _FIRST_CAPS.year)
    spent = spends.of_month(PERSON, entry.month)
    yield _Allowance(PERSON, f"the month {entry.month}", spent, month)
    spent = spends.of_calendar_year(PERSON, entry.month)
    yield _Allowance(PERSON, f"the year {entry.month[:4]}", spent, year)


def _rho_text(nano: int) -> str:
    return f"{nano / NANO:g}"
