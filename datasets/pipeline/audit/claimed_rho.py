"""The claimed rho: what a declaration promises that some rows of one privacy unit cost at most, over a whole release."""

from __future__ import annotations

from fractions import Fraction

from datasets.definition import Dataset
from datasets.pipeline.engine.bounding import event_measures
from datasets.pipeline.planning.budget import rows_per_unit


def claimed_rho(dataset: Dataset, rows: int) -> Fraction:
    """The most rho that `rows` rows of one privacy unit may cost, computed from the declaration and not from the plan.

    A measure that counts at most m rows of a unit changes by rows/m of its sensitivity, so it costs (rows/m)² of its rho; in
    a unit measure each row weighs as much as the whole unit. Of an organisation, `rows` is the number of its events; it may
    have 10,000 in the month (docs/privacy/bounding.md#organisations). A person who reaches every cap costs the rho of the
    release:

    >>> from datasets.moderation import moderation
    >>> claimed_rho(moderation, 1000) == moderation.rho_of_release
    True
    """
    if rows == 0:
        return Fraction(0)
    measures = ((rows_per_unit(dataset, m), dataset.rho_of(m)) for m in dataset.measures)
    each = dataset.diagnostics.rho / max(1, len(event_measures(dataset)))
    wide = ((dataset.diagnostics.rows_per_unit, each) for _ in event_measures(dataset))
    return sum(
        (rho * min(Fraction(1), Fraction(rows, most or 1)) ** 2 for most, rho in (*measures, *wide)),
        Fraction(0),
    )
