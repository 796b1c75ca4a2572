"""The privacy budget on the command line: opening the ledger, and the notation of rho."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction

from datasets.pipeline.settings import BuildSettings
from datasets.pipeline.state.ledger_store import LedgerStore


def open_ledger(settings: BuildSettings) -> closing[LedgerStore]:
    """The privacy ledger of the settings, as a context manager that closes it."""
    return closing(LedgerStore(settings.ledger, settings.caps))


def format_rho(rho: Fraction | str) -> str:
    """A rho as a decimal number of at most six digits.

    >>> format_rho("0.0500")
    '0.05'
    """
    return f"{float(rho):g}"
