"""Workloads: which cuboids of a measure are published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

from datasets.definition.dimension import Dimension
from datasets.definition.rules import ensure

Cuboid = tuple[int, ...]
"""A cuboid: for each dimension in order, the level that it is broken down to; 0 is the total."""


@dataclass(frozen=True)
class Workload:
    """Which cuboids are published: all of up to `depth` dimensions at their first level, all of up to a given number of
    dimensions with a finer level among them, and single cuboids by name.

    >>> up_to(2).finer("keyword", 1).with_cuboid("keyword", "day").levels
    (('keyword', 1),)
    """

    depth: int
    levels: tuple[tuple[str, int], ...] = ()
    deeper: tuple[tuple[str, ...], ...] = ()

    def finer(self, level: str, depth: int) -> Workload:
        """Also publish `level`, in cuboids of at most `depth` dimensions."""
        return Workload(self.depth, (*self.levels, (level, depth)), self.deeper)

    def with_cuboid(self, *levels: str) -> Workload:
        """Also publish this one cuboid, whatever its depth."""
        return Workload(self.depth, self.levels, (*self.deeper, levels))

    def cuboids(self, dimensions: tuple[Dimension, ...]) -> tuple[Cuboid, ...]:
        """The published cuboids: the total first, then by number of dimensions and their order."""
        depths = {level.name: self.depth for level in (d.levels[0] for d in dimensions)} | dict(self.levels)
        found: set[Cuboid] = set()
        for size in range(max(depths.values(), default=0) + 1):
            for chosen in combinations(range(len(dimensions)), size):
                found.update(self._at_levels(dimensions, chosen, depths))
        found.update(cuboid_of(dimensions, names) for names in self.deeper)
        return tuple(sorted(found, key=lambda c: (sum(map(bool, c)), [-level for level in c])))

    @staticmethod
    def _at_levels(
        dimensions: tuple[Dimension, ...], chosen: tuple[int, ...], depths: dict[str, int]
    ) -> Iterator[Cuboid]:
        partial: list[Cuboid] = [()]
        for position, dimension in enumerate(dimensions):
            allowed = (
                [n for n, lv in enumerate(dimension.levels, 1) if depths.get(lv.name, 0) >= len(chosen)]
                if position in chosen
                else [0]
            )
            partial = [(*head, level) for head in partial for level in allowed]
        yield from partial


def up_to(depth: int) -> Workload:
    """All cuboids of at most `depth` dimensions, each at its first level."""
    return Workload(depth)


def cuboid_of(dimensions: tuple[Dimension, ...], names: Iterable[str]) -> Cuboid:
    """The cuboid broken down by the levels of these names. Raises DefinitionError on an unknown name."""
    places = {lv.name: (i, n) for i, d in enumerate(dimensions) for n, lv in enumerate(d.levels, 1)}
    cuboid = [0] * len(dimensions)
    for name in names:
        ensure(name in places, f"cuboid {', '.join(names)}: {name!r} is not a level of any dimension")
        position, level = places[name]
        cuboid[position] = max(cuboid[position], level)
    return tuple(cuboid)
