"""The rules of the privacy ledger: an append-only hash chain of spends, each made before its release.

A spend is reserved before any row is counted and counts from then on in any case; it is committed when the release is
published, or declared void when its build has failed, which refunds nothing. Every entry holds the hash of the one before it,
and the hash of the last entry, the head, is written into every manifest (docs/privacy/ledger.md#entries).
Storage is elsewhere: this module has only the entries and their sums.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Literal

from datasets.period import Month
from datasets.privacy.zcdp import NANO, nano_rho
from datasets.refusal import Refusal

State = Literal["reserved", "committed", "void"]
GENESIS = "0" * 64
"""The previous hash of the first entry."""


class BudgetSpent(Refusal):
    """A spend that would exceed what is allowed for a month, a year, or a dataset and month."""


class LedgerBroken(Refusal):
    """A chain that does not verify; the message names the first entry that is wrong."""


@dataclass(frozen=True, slots=True)
class Caps:
    """The most rho that may be spent on one person, over all datasets: in a month, and in a calendar year."""

    month: Fraction = Fraction(1, 2)
    year: Fraction = Fraction(3)


@dataclass(frozen=True, slots=True)
class Spend:
    """The spend of one build: rho in whole billionths, rounded up, for one dataset and month."""

    dataset: str
    month: str
    unit: str
    rows_per_unit: str
    nano_rho: int
    plan_hash: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger. Only entries in state `reserved` have a spend; the others name its entry in `of`."""

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

    @property
    def hash(self) -> str:
        """SHA-256 over the entry as canonical JSON; it includes the hash of the entry before."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()


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


def reserve(entries: Sequence[Entry], spend: Spend, *, caps: Caps, time: str, reason: str = "") -> Entry:
    """The entry that reserves a spend.

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
    _ensure_within(entries, spend, caps.month, f"the month {spend.month}", spend.month)
    _ensure_within(entries, spend, caps.year, f"the year {spend.month[:4]}", spend.month[:4])
    return _new_entry(entries, spend, "reserved", time=time, nano=spend.nano_rho, reason=reason)


def _ensure_within(entries: Sequence[Entry], spend: Spend, cap: Fraction, period: str, prefix: str) -> None:
    before = total_spend(entry for entry in entries if entry.month.startswith(prefix))
    if before + spend.nano_rho > cap * NANO:
        raise BudgetSpent(
            f"{spend.dataset} {spend.month} would spend {_rho_text(spend.nano_rho)} rho, but of the "
            f"{_rho_text(nano_rho(cap))} that {period} may cost a person over all datasets {_rho_text(before)} are spent.",
            parameter="month",
            value=spend.month,
        )


def commit(
    entries: Sequence[Entry], reserved: Entry, *, time: str, input_hash: str, release: str, artefact_hash: str
) -> Entry:
    """The entry that records that a reserved spend became a release."""
    _ensure_not_closed(entries, reserved)
    spend = _spend_of(reserved)
    return _new_entry(
        entries, spend, "committed", time=time, of=reserved.seq,
        input_hash=input_hash, release=release, artefact_hash=artefact_hash,
    )  # fmt: skip


def void(entries: Sequence[Entry], reserved: Entry, *, time: str, reason: str) -> Entry:
    """The entry that records that the build of a reserved spend failed. The spend still counts."""
    _ensure_not_closed(entries, reserved)
    return _new_entry(entries, _spend_of(reserved), "void", time=time, of=reserved.seq, reason=reason)


def _ensure_not_closed(entries: Sequence[Entry], reserved: Entry) -> None:
    if any(entry.of == reserved.seq for entry in entries):
        raise LedgerBroken(f"ledger entry {reserved.seq} is closed already; each reservation is closed once")


def _spend_of(entry: Entry) -> Spend:
    return Spend(entry.dataset, entry.month, entry.unit, entry.rows_per_unit, entry.nano_rho, entry.plan_hash)


def _new_entry(
    entries: Sequence[Entry],
    spend: Spend,
    state: State,
    *,
    time: str,
    nano: int = 0,
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
    )  # fmt: skip


def total_spend(entries: Iterable[Entry]) -> int:
    """The sum of spends in billionths of rho; reserved, committed and void spends all count."""
    return sum(entry.nano_rho for entry in entries)


def rho_by_month(entries: Iterable[Entry]) -> dict[Month, Fraction]:
    """The rho spent on a person in each month, over all datasets."""
    months: dict[Month, Fraction] = {}
    for entry in entries:
        month = Month.parse(entry.month)
        months[month] = months.get(month, Fraction(0)) + Fraction(entry.nano_rho, NANO)
    return dict(sorted(months.items()))


def ensure_chain(entries: Sequence[Entry], caps: Caps) -> None:
    """Raises LedgerBroken at the first entry that is out of order, does not follow from the one before, or overspends."""
    previous = GENESIS
    for position, entry in enumerate(entries, 1):
        if entry.seq != position:
            raise LedgerBroken(
                f"ledger entry {position}: stands at number {entry.seq}; one is missing or was added"
            )
        if entry.previous != previous:
            raise LedgerBroken(
                f"ledger entry {position}: does not follow from the entry before; one of the two was edited"
            )
        previous = entry.hash
    for cap, digits in ((caps.month, 7), (caps.year, 4)):
        for period in sorted({entry.month[:digits] for entry in entries}):
            spent = total_spend(entry for entry in entries if entry.month.startswith(period))
            if spent > cap * NANO:
                raise LedgerBroken(
                    f"the ledger spends {_rho_text(spent)} rho on {period}, over the cap of {_rho_text(nano_rho(cap))}"
                )


def _rho_text(nano: int) -> str:
    return f"{nano / NANO:g}"
