"""Probe sites: the cells in which the audit puts synthetic events, and the raw rows for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from datasets.definition import Dataset, SumMeasure
from datasets.period import Month
from datasets.pipeline.engine.columns import Kind, event_columns
from datasets.privacy.axis import axes_of

Site = tuple[int, ...]
"""A position in the finest code list of each dimension."""


@dataclass(frozen=True)
class ProbeSites:
    """The sites of a dataset in a month, and raw rows at a site."""

    dataset: Dataset
    month: Month

    @cached_property
    def _sizes(self) -> tuple[int, ...]:
        return tuple(axis.size(axis.depth) for axis in axes_of(self.dataset, self.month))

    @cached_property
    def home_site(self) -> Site:
        """The site where a row costs most: in each dimension the first code of the largest family.

        See docs/privacy/levels.md#what-a-row-costs.
        """
        axes = axes_of(self.dataset, self.month)
        return tuple(int(axis.siblings(axis.depth).argmax()) for axis in axes)

    @cached_property
    def empty_site(self) -> Site:
        """A site without any row of the crowd."""
        return self._offset((-1,) * len(self.home_site))

    def site_on_day(self, number: int) -> Site:
        """The home site on another day; `number` counts from 0."""
        dimensions = self.dataset.dimensions
        return tuple(
            number if d.is_calendar else at for d, at in zip(dimensions, self.home_site, strict=True)
        )

    def neighbouring_site(self, number: int) -> Site:
        """The home site with the next code in some dimensions, which depend on `number`."""
        return self._offset([(number + at * (number // 4)) % 5 // 4 for at in range(len(self.home_site))])

    def distant_site(self, number: int) -> Site:
        """A site that is far from the site of the next number."""
        return self._offset([number * (2 * at + 1) for at in range(len(self.home_site))])

    def _offset(self, steps: tuple[int, ...] | list[int]) -> Site:
        return tuple((at + step) % n for at, step, n in zip(self.home_site, steps, self._sizes, strict=True))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in event_columns(self.dataset))

    @property
    def code_columns(self) -> tuple[str, ...]:
        return self._columns_of(Kind.CODE)

    @property
    def flag_columns(self) -> tuple[str, ...]:
        return self._columns_of(Kind.FLAG)

    @property
    def number_columns(self) -> tuple[str, ...]:
        return self._columns_of(Kind.INTEGER)

    def _columns_of(self, kind: Kind) -> tuple[str, ...]:
        return tuple(column.name for column in event_columns(self.dataset) if column.kind is kind)

    def row(self, unit: str, event: str, site: Site, kind: str = "person") -> dict[str, object]:
        """A raw row at a site, as text. All its flags are true, and its numbers are the largest that a sum counts."""
        found: dict[str, object] = {"event_id": event, "unit_id": unit, "unit_kind": kind}
        for dimension, position in zip(self.dataset.dimensions, site, strict=True):
            if dimension.is_calendar:
                found["occurred_at"] = (self.month.start + timedelta(days=position)).strftime(
                    "%Y-%m-%dT%H:%M:%SZ"
                )
            else:
                found[dimension.finest.name] = (
                    dimension.finest.codes.in_month(self.month).codes[position].code
                )
        found |= dict.fromkeys(self.flag_columns, "true")
        tops = {m.value: m.upper for m in self.dataset.measures if isinstance(m, SumMeasure)}
        return found | {name: str(tops.get(name, 1)) for name in self.number_columns}
