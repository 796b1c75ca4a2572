"""Workloads: which cuboids of a measure are published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product

from datasets.definition.dimension import Dimension
from datasets.definition.rules import ensure

Cuboid = tuple[int, ...]
"""A cuboid: for each dimension in order, the level that it is broken down to; 0 is the total."""


@dataclass(frozen=True)
class Workload:
    """Which cuboids are published: all of up to `depth` dimensions at their first level, all of up to a given number of
    dimensions with a finer level among them, and single cuboids by name. The levels above a dimension's own (week above day)
    are published wherever it is.

    >>> up_to(2).finer("keyword", 1).with_cuboid("keyword", "day").levels
    (('keyword', 1),)
    """

    depth: int
    levels: tuple[tuple[str, int], ...] = ()
    deeper: tuple[tuple[str, ...], ...] = ()
    edges: tuple[str, ...] = ()
    emphasised: tuple[tuple[str, ...], ...] = ()

    def finer(self, level: str, depth: int) -> Workload:
        """Also publish `level`, in cuboids of at most `depth` dimensions."""
        return replace(self, levels=(*self.levels, (level, depth)))

    def with_cuboid(self, *levels: str) -> Workload:
        """Also publish this one cuboid, whatever its depth."""
        return replace(self, deeper=(*self.deeper, levels))

    def edge(self, dimension: str) -> Workload:
        """Publish a dimension, at any of its levels, only alone and in cuboids that are named."""
        return replace(self, edges=(*self.edges, dimension))

    def important(self, *levels: str) -> Workload:
        """Give this one published cuboid ten times its weight in plans (docs/privacy/strata.md#important-cuboids)."""
        return replace(self, emphasised=(*self.emphasised, levels))

    def important_cuboids(self, dimensions: tuple[Dimension, ...]) -> frozenset[Cuboid]:
        """The cuboids that are important. Raises DefinitionError on an unknown name."""
        return frozenset(cuboid_of(dimensions, names) for names in self.emphasised)

    def cuboids(self, dimensions: tuple[Dimension, ...]) -> tuple[Cuboid, ...]:
        """The published cuboids: the total first, then by number of dimensions and their order."""
        depths = self._depths(dimensions)
        found: set[Cuboid] = set()
        for size in range(max(depths.values(), default=0) + 1):
            for chosen in combinations(range(len(dimensions)), size):
                found.update(self._at_levels(dimensions, chosen, depths))
        for names in self.deeper:
            found.update(_with_coarser(dimensions, cuboid_of(dimensions, names)))
        return tuple(sorted(found, key=lambda c: (sum(map(bool, c)), [-level for level in c])))

    def _depths(self, dimensions: tuple[Dimension, ...]) -> dict[str, int]:
        """The most dimensions of a cuboid with each level, for the levels that are published."""
        depths = {lv.name: self.depth for d in dimensions for lv in d.levels[: d.depth]} | dict(self.levels)
        edges = (lv.name for d in dimensions if d.name in self.edges for lv in d.levels)
        return depths | {name: min(depths[name], 1) for name in edges if name in depths}

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


def _with_coarser(dimensions: tuple[Dimension, ...], cuboid: Cuboid) -> Iterator[Cuboid]:
    """A cuboid, and each in which a level above a dimension's own stands in place of that or of a finer one."""
    return product(
        *((*range(1, min(level, d.depth)), level) for d, level in zip(dimensions, cuboid, strict=True))
    )


def up_to(depth: int) -> Workload:
    """All cuboids of at most `depth` dimensions, each at the level that it is named after."""
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
