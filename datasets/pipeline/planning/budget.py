"""The plans of a dataset's release: one for each measure, and one for each diagnostic of bounding."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from datasets.definition import Cuboid, Dataset, EventMeasure, Measure, SumMeasure, UnitMeasure, up_to
from datasets.period import Month
from datasets.pipeline.engine.bounding import GRAINS, event_measures
from datasets.privacy.axis import Axis, axes_of
from datasets.privacy.ledger import PERSON, Spend
from datasets.privacy.plan import Plan, cuboid_weights, plan
from datasets.privacy.zcdp import nano_rho


@dataclass(frozen=True)
class Budget:
    """What a release measures and spends; computed from the declaration and the calendar alone."""

    dataset: Dataset
    month: Month
    measures: dict[str, Plan]
    diagnostics: dict[str, Plan]

    @property
    def rho(self) -> Fraction:
        """The cost of the release for each privacy unit: the sum over all plans."""
        return sum((p.rho for p in (*self.measures.values(), *self.diagnostics.values())), Fraction(0))

    @property
    def cuboids(self) -> tuple[Cuboid, ...]:
        """Every published cuboid of any measure, those of few dimensions first."""
        found = {cuboid for p in self.measures.values() for cuboid in p.workload}
        return tuple(sorted(found, key=lambda c: (sum(map(bool, c)), [-level for level in c])))

    def spend(self) -> Spend:
        """The spend that is reserved in the ledger, with the role that a person has in the dataset."""
        caps = ", ".join(f"{m.name} {rows_per_unit(self.dataset, m) or 'all'}" for m in self.dataset.measures)
        role = self.dataset.unit.title
        return Spend(
            self.dataset.name, str(self.month), f"{PERSON}, {role}", caps, nano_rho(self.rho), self.hash, PERSON, role
        )  # fmt: skip

    @property
    def hash(self) -> str:
        """SHA-256 of every plan: axes, workload, sensitivity, and the exact rho of each residual."""
        plans = {
            name: {
                "axes": [[axis.name, axis.fans] for axis in p.axes],
                "workload": p.workload,
                "sensitivity": p.sensitivity,
                "grain": p.grain,
                "rho": [[b, str(rho)] for b, rho in p.rho_of.items()],
            }
            for name, p in [*self.measures.items(), *((f"wide {n}", p) for n, p in self.diagnostics.items())]
        }
        return hashlib.sha256(json.dumps(plans, sort_keys=True).encode()).hexdigest()


def plan_budget(dataset: Dataset, month: Month) -> Budget:
    """The plans of a dataset in a month. It reads no data and costs no budget."""
    axes = axes_of(dataset, month)
    return Budget(
        dataset,
        month,
        measures={m.name: _plan_measure(dataset, axes, m) for m in dataset.measures},
        diagnostics={
            m.name: plan(
                axes,
                up_to(1).cuboids(dataset.dimensions),
                rho=dataset.diagnostics.rho / len(event_measures(dataset)),
                sensitivity=dataset.diagnostics.rows_per_unit,
            )
            for m in event_measures(dataset)
        },
    )


def _plan_measure(dataset: Dataset, axes: Sequence[Axis], measure: Measure) -> Plan:
    workload = measure.publish.cuboids(dataset.dimensions)
    important = measure.publish.important_cuboids(dataset.dimensions)
    return plan(
        axes,
        workload,
        rho=dataset.rho_of(measure),
        sensitivity=sensitivity(dataset, measure),
        grain=grain(measure),
        weights=cuboid_weights(axes, workload, important) if important else None,
    )


def grain(measure: Measure) -> int:
    """The number of integer grains in one unit of what a measure counts."""
    return GRAINS if isinstance(measure, UnitMeasure) else 1


def sensitivity(dataset: Dataset, measure: Measure) -> int:
    """The largest sum of absolute weights, in grains, of all rows of one unit (docs/privacy/bounding.md#sensitivities)."""
    match measure:
        case EventMeasure():
            return measure.rows_per_unit
        case UnitMeasure():
            return GRAINS
        case SumMeasure():
            return (rows_per_unit(dataset, measure) or 0) * measure.half_range


def rows_per_unit(dataset: Dataset, measure: Measure) -> int | None:
    """The most rows of one person that a measure counts; None if all count, with a total weight of one."""
    match measure:
        case EventMeasure():
            return measure.rows_per_unit
        case UnitMeasure():
            return None
        case SumMeasure():
            return rows_per_unit(dataset, dataset.measure(measure.counted_by))
