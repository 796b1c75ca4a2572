"""The measures of a release: their published cuboids, and the variances and covariances of questions of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from datasets.definition import Cuboid
from datasets.privacy.axis import Floats
from datasets.privacy.plan import cell_count
from datasets.privacy.variance import Factor, covariance
from datasets.release.format.codebook import Codebook
from datasets.release.format.manifest import Manifest


@dataclass(frozen=True)
class PublishedMeasure:
    """One measure: its cuboids by name, those with the fewest cells first, and the noise variance s_B of its residuals.

    A sum is its centred sum plus `middle` times the count of another measure, which is measured independently.
    """

    name: str
    codebook: Codebook
    cuboids: Mapping[str, Cuboid]
    residuals: Mapping[Cuboid, float]
    middle: int = 0
    counted_by: PublishedMeasure | None = None

    def smallest_cuboid(self, depth: Cuboid) -> str | None:
        """The cuboid with the fewest cells that is at least so deep; None if none is published."""
        if depth not in self._smallest_by_depth:
            self._smallest_by_depth[depth] = next(
                (
                    name
                    for name, cuboid in self.cuboids.items()
                    if all(has >= needs for has, needs in zip(cuboid, depth, strict=True))
                ),
                None,
            )
        return self._smallest_by_depth[depth]

    @cached_property
    def _smallest_by_depth(self) -> dict[Cuboid, str | None]:
        """A cache of `smallest_cuboid`. The axes allow a limited number of depths only, so it needs no bound."""
        return {}

    def covariance(
        self, factors: tuple[Factor, ...], other: PublishedMeasure, others: tuple[Factor, ...]
    ) -> Floats:
        """The covariance of each cell with the same cell of another question of the same shape.

        Each measure has independent noise; only a sum shares the noise of the count that it is counted by. See
        docs/privacy/variance.md#covariance.
        """
        asked = [u or v for u, v in zip(factors, others, strict=True)]
        total: Floats = np.zeros([len(factor[1]) for factor in asked if factor is not None])
        for weight, measured in self._sources():
            for weight_other, measured_other in other._sources():
                if measured.name == measured_other.name:
                    shared = covariance(self.codebook.axes, measured.residuals, factors, others)
                    total = total + weight * weight_other * shared
        return total

    def _sources(self) -> tuple[tuple[int, PublishedMeasure], ...]:
        """The independently measured tables that this measure is the sum of, each with its weight."""
        return ((1, self), (self.middle, self.counted_by)) if self.counted_by else ((1, self),)


def published_measures(manifest: Manifest, codebook: Codebook) -> dict[str, PublishedMeasure]:
    """Every measure of a release by name."""
    found: dict[str, PublishedMeasure] = {}
    for entry in sorted(manifest.measures, key=lambda entry: entry.counted_by is not None):
        by_name = {name: codebook.cuboid(name) for name in entry.cuboids}
        smallest_first = sorted(by_name, key=lambda name: (cell_count(codebook.axes, by_name[name]), name))
        found[entry.name] = PublishedMeasure(
            name=entry.name,
            codebook=codebook,
            cuboids={name: by_name[name] for name in smallest_first},
            residuals={codebook.cuboid(residual.cuboid): residual.variance for residual in entry.residuals},
            middle=entry.middle or 0,
            counted_by=found[entry.counted_by] if entry.counted_by else None,
        )
    return found
