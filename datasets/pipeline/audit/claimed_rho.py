"""What a declaration promises a canary: the rho that its rows may cost, over all that a release publishes."""

from __future__ import annotations

from fractions import Fraction

from datasets.definition import Dataset
from datasets.pipeline.engine.bounding import event_measures
from datasets.pipeline.planning.budget import rows_per_unit


def claimed_rho(dataset: Dataset, rows: int) -> Fraction:
    """The most that `rows` rows of one privacy unit may cost, by the declaration alone, so that no plan excuses itself.

    A measure of at most m rows a unit moves by rows/m of its sensitivity, so it costs the square of that part of its rho;
    a unit measure weighs any row as a whole unit. A person at every cap costs all that the release does:

    >>> from datasets.moderation import moderation
    >>> promised(moderation, 1000) == moderation.rho_of_release
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
