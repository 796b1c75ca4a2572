"""What a release publishes of one measure, ready to be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from datasets.definition import Cuboid
from datasets.privacy.axis import Floats
from datasets.privacy.plan import cells
from datasets.privacy.variance import Factor, variance
from datasets.release.codebook import Codebook
from datasets.release.manifest import Manifest


@dataclass(frozen=True)
class PublishedMeasure:
    """One measure: its cuboids by name, those of few cells first, and the noise variance s_B of its residuals.

    A sum is its centred sum plus `middle` times the count of another measure, which is measured independently.
    """

    name: str
    codebook: Codebook
    cuboids: Mapping[str, Cuboid]
    residuals: Mapping[Cuboid, float]
    middle: int = 0
    counted_by: PublishedMeasure | None = None

    def variance(self, factors: tuple[Factor, ...]) -> Floats:
        """The variance of each cell that the factors ask for (PRIVACY.md, section 6)."""
        own = variance(self.codebook.axes, self.residuals, factors)
        if self.counted_by is None:
            return own
        return own + self.middle**2 * self.counted_by.variance(factors)


def published_measures(manifest: Manifest, codebook: Codebook) -> dict[str, PublishedMeasure]:
    """Every measure of a release by name."""
    found: dict[str, PublishedMeasure] = {}
    for entry in sorted(manifest.measures, key=lambda entry: entry.counted_by is not None):
        by_name = {name: codebook.cuboid(name) for name in entry.cuboids}
        smallest_first = sorted(by_name, key=lambda name: (cells(codebook.axes, by_name[name]), name))
        found[entry.name] = PublishedMeasure(
            name=entry.name,
            codebook=codebook,
            cuboids={name: by_name[name] for name in smallest_first},
            residuals={codebook.cuboid(residual.cuboid): residual.variance for residual in entry.residuals},
            middle=entry.middle or 0,
            counted_by=found[entry.counted_by] if entry.counted_by else None,
        )
    return found
