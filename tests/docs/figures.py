"""Tables of docs/privacy that follow from the declarations, and how they are written again."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt

import numpy as np

from datasets.catalogue import DATASETS
from datasets.period import Month
from datasets.pipeline.planning.budget import plan_budget
from datasets.privacy.plan import Plan, cell_count
from tests.datasets.privacy.test_plan_errors import rmse
from tests.docs.pages import ROOT, replace_rows


def declared_costs() -> list[list[str]]:
    """Rho of a month for each dataset, and of all: measures, diagnostics, the whole release."""
    costs: dict[str, tuple[Fraction, ...]] = {
        d.name: (d.rho_per_month, d.diagnostics.rho, d.rho_of_release) for d in DATASETS
    }
    costs["all"] = tuple(sum(column, Fraction()) for column in zip(*costs.values(), strict=True))
    return [[name, *map(_decimal, row)] for name, row in costs.items()]


def _decimal(cost: Fraction) -> str:
    """The cost as a decimal number if that is exact, otherwise as a fraction."""
    text = f"{float(cost):g}"
    return text if Fraction(text) == cost else str(cost)


def declared_plans() -> list[list[str]]:
    """The plan of each measure for June 2026, then those of the diagnostics of its dataset."""
    found = []
    for dataset in DATASETS:
        budget = plan_budget(dataset, Month(2026, 6))
        wide = {f"wide {name}": made for name, made in budget.diagnostics.items()}
        found += [
            [dataset.name, name, *figures_of(made)] for name, made in {**budget.measures, **wide}.items()
        ]
    return found


def figures_of(made: Plan) -> list[str]:
    cells = sum(cell_count(made.axes, cuboid) for cuboid in made.workload)
    total = sqrt(made.mean_variance((0,) * len(made.axes)))
    return [
        str(made.rho), f"{made.sensitivity:,}", f"{made.grain:,}", f"{len(made.workload)}", f"{cells:,}",
        f"{total:,.1f}", f"{rmse(made):,.1f}", f"{least_scale(made):,.0f}",
    ]  # fmt: skip


def least_scale(made: Plan) -> float:
    def fewest_siblings(residual: tuple[int, ...]) -> int:
        levels = zip(made.axes, residual, strict=True)
        return int(np.prod([axis.siblings(level).min() for axis, level in levels]))

    return min(made.deviation(b) * fewest_siblings(b) for b in made.rho_of)


DERIVED_TABLES = {
    ("docs/privacy/guarantee.md", "What a month and a year cost"): declared_costs,
    ("docs/privacy/numbers.md", "The declared plans"): declared_plans,
}
"""By page and heading: what its first table must be."""


def rewrite_tables(name: str, text: str) -> str:
    """The text of a page, with the rows of its tables in `DERIVED_TABLES` computed again."""
    for (other, heading), rows in DERIVED_TABLES.items():
        if other == name:
            text = replace_rows(text, heading, rows())
    return text


def write_tables() -> None:
    """Write every page that has such a table."""
    for name in sorted({name for name, _ in DERIVED_TABLES}):
        path = ROOT / name
        path.write_text(rewrite_tables(name, path.read_text("utf-8")), "utf-8")
