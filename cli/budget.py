"""The privacy budget on the command line: opening the ledger, and the notation of rho."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from pathlib import Path

from datasets.pipeline.settings import BuildSettings
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.privacy.ledger import Entry, Outlook, UnitClass
from datasets.privacy.zcdp import NANO, epsilon_rounded_up, power_of_best_test

UNITS: dict[UnitClass, str] = {
    "person": "each person",
    "event of an organisation": "each event of an organisation",
}


def open_ledger(settings: BuildSettings) -> closing[LedgerStore]:
    """The privacy ledger of the settings, as a context manager that closes it."""
    return closing(LedgerStore(settings.ledger, settings.caps))


def entries_so_far(settings: BuildSettings) -> tuple[Entry, ...]:
    """The entries of the ledger of the settings; none if its SQLite file does not exist, which is then not created."""
    address = settings.ledger
    if address.startswith("sqlite:///") and not Path(address.removeprefix("sqlite:///")).exists():
        return ()
    with open_ledger(settings) as ledger:
        return ledger.entries()


def describe_rho(rho: Fraction) -> str:
    """What a rho means: epsilon, rounded up, and the power of the best test.

    >>> describe_rho(Fraction(3))
    'rho 3; epsilon 15.0 at delta 1e-6, 18.0 at 1e-9; the best 5 % test has power 78.9%'
    """
    epsilons = (
        f"epsilon {epsilon_rounded_up(rho, 1e-6)} at delta 1e-6, {epsilon_rounded_up(rho, 1e-9)} at 1e-9"
    )
    return f"rho {format_rho(rho)}; {epsilons}; the best 5 % test has power {power_of_best_test(rho):.1%}"


def describe_outlook(name: str, found: Outlook) -> str:
    """A sentence about one spend: what it costs, what it leaves, and how many more of the same cost fit."""
    month, year, cost = found.month, found.year, found.cost
    window = f"the twelve months {year.first} to {year.last}"
    spends = f"{name} would spend {format_rho(Fraction(cost, NANO))} rho on {UNITS[found.unit_class]}"
    if not found.fits:
        room = f"{month.first} has {format_rho(month.left_after(0))} left, {window} have {format_rho(year.left_after(0))}"
        return f"{spends}; it does not fit: {room}."
    left = f"{format_rho(month.left_after(cost))} of {format_rho(Fraction(month.cap, NANO))} would be left in {month.first}"
    of_year = f"{format_rho(year.left_after(cost))} of {format_rho(Fraction(year.cap, NANO))} in {window}"
    return f"{spends}; {left}, {of_year}, the fullest that contain it; {found.fits - 1} more of this cost would fit."


def format_rho(rho: Fraction | str) -> str:
    """A rho as a decimal number of at most six digits.

    >>> format_rho("0.0500")
    '0.05'
    """
    return f"{float(rho):g}"
