"""A reference implementation that computes answers and variances from the released files, without code of the packages."""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq


class Released:
    """One release, read from `cells.parquet`, `codebook.json` and `manifest.json`."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.folder = folder
        self.manifest = json.loads((folder / "manifest.json").read_text())
        self.book = json.loads((folder / "codebook.json").read_text())
        self.dimensions = [[level["name"] for level in d["levels"]] for d in self.book["dimensions"]]
        self.codes = {
            level["name"]: [code["code"] for code in level["codes"]]
            for d in self.book["dimensions"]
            for level in d["levels"]
        }
        self.within = {
            level["name"]: {code["code"]: code["within"] for code in level["codes"]}
            for d in self.book["dimensions"]
            for level in d["levels"]
        }
        self.measures = {measure["name"]: measure for measure in self.manifest["measures"]}
        self._tensors: dict[str, dict[str, np.ndarray]] = {}
        self._dimension_of = {name: at for at, levels in enumerate(self.dimensions) for name in levels}
        self._depths = {  # for each cuboid, its depth in each of its dimensions
            cuboid: {
                self.dimension_of(name): self.dimensions[self.dimension_of(name)].index(name)
                for name in self.levels_of(cuboid)
            }
            for measure in self.measures.values()
            for cuboid in measure["cuboids"]
        }
        self._shares = {
            name: {frozenset(self.levels_of(r["cuboid"])): r["variance"] for r in measure["residuals"]}
            for name, measure in self.measures.items()
        }

    @cached_property
    def table(self):
        return pq.read_table(self.folder / "cells.parquet")

    def dimension_of(self, level: str) -> int:
        return self._dimension_of[level]

    def levels_of(self, cuboid: str) -> list[str]:
        return [] if cuboid == "total" else cuboid.split(",")

    def covering_cuboids(self, measure: str, required: dict[int, int]) -> list[str]:
        """The cuboids that are at least as deep as required in each dimension."""

        def is_deep_enough(cuboid):
            depths = self._depths[cuboid]
            return all(depths.get(at, -1) >= depth for at, depth in required.items())

        return [cuboid for cuboid in self.measures[measure]["cuboids"] if is_deep_enough(cuboid)]

    def tensor(self, cuboid: str, measure: str) -> np.ndarray:
        """The values of a measure in a cuboid, with one axis for each level of the cuboid."""
        if cuboid not in self._tensors:
            part = self.table.filter(pc.equal(self.table["cuboid"], cuboid))
            levels = self.levels_of(cuboid)
            positions = []
            for level in levels:
                index = {code: position for position, code in enumerate(self.codes[level])}
                positions.append([index[str(code)] for code in part[level].to_pylist()])
            self._tensors[cuboid] = {}
            for name in self.measures:
                if cuboid in self.measures[name]["cuboids"]:
                    tensor = np.full([len(self.codes[level]) for level in levels], np.nan)
                    tensor[tuple(positions)] = part[name].to_numpy()
                    assert not np.isnan(tensor).any()
                    self._tensors[cuboid][name] = tensor
        return self._tensors[cuboid][measure]

    def ancestor(self, level: str, code: str, coarse: str) -> str:
        levels = self.dimensions[self.dimension_of(level)]
        for name in reversed(levels[levels.index(coarse) + 1 : levels.index(level) + 1]):
            code = self.within[name][code]
        return code

    def selections(self, cuboid: str, groups: list[str], filters: dict[str, set[str]]):
        """For each level of a cuboid: the level it is grouped by or None, the group of each code, and which codes count."""
        found = []
        for level in self.levels_of(cuboid):
            levels = self.dimensions[self.dimension_of(level)]
            counts = [
                all(self.ancestor(level, code, f) in codes for f, codes in filters.items() if f in levels)
                for code in self.codes[level]
            ]
            grouped = next((group for group in groups if group in levels), None)
            labels = [self.ancestor(level, code, grouped) if grouped else "" for code in self.codes[level]]
            found.append((grouped, labels, np.array(counts)))
        return found

    def answer(
        self, measure: str, cuboid: str, groups: list[str], filters: dict[str, set[str]]
    ) -> dict[tuple, float]:
        """The sum for each combination of the groups' codes that the filters allow."""
        tensor, axes = self.tensor(cuboid, measure), []
        for axis, (grouped, labels, counts) in enumerate(self.selections(cuboid, groups, filters)):
            kept = [label for label, count in zip(labels, counts, strict=True) if count]
            order = list(dict.fromkeys(kept))
            matrix = np.array(
                [[label == o and count for label, count in zip(labels, counts, strict=True)] for o in order],
                float,
            )
            tensor = np.moveaxis(np.tensordot(matrix, tensor, (1, axis)), 0, axis)
            axes.append((grouped, order))
        return {
            tuple(
                {g: label for (g, _), label in zip(axes, cell, strict=True) if g}[group] for group in groups
            ): float(tensor[position])
            for position, cell in zip(
                np.ndindex(tensor.shape), product(*(order for _, order in axes)), strict=True
            )
        }

    def variance(
        self, measure: str, cuboid: str, groups: list[str], cell: tuple, filters: dict[str, set[str]]
    ) -> float:
        """The variance of one cell (docs/privacy/variance.md#variance-of-a-question).

        The weights are averaged at each level, centred and squared, and multiplied by the variances of the residuals.
        """
        vectors = []
        for grouped, labels, counts in self.selections(cuboid, groups, filters):
            wanted = dict(zip(groups, cell, strict=True)).get(grouped, "")
            vectors.append(
                np.array(
                    [float(label == wanted and bool(c)) for label, c in zip(labels, counts, strict=True)]
                )
            )
        entry = self.measures[measure]
        shares = self._shares[measure]
        options = [self.norms(level, v) for level, v in zip(self.levels_of(cuboid), vectors, strict=True)]
        total = 0.0
        for chosen in product(*options):
            total += shares[frozenset(name for name, _ in chosen if name)] * float(
                np.prod([norm for _, norm in chosen])
            )
        if entry["counted_by"]:
            total += entry["middle"] ** 2 * self.variance(entry["counted_by"], cuboid, groups, cell, filters)
        return total

    def norms(self, level: str, weights: np.ndarray) -> list[tuple[str, float]]:
        """The squared norm of the centred means of the weights at each level from this one up; the total comes last."""
        levels, found = self.dimensions[self.dimension_of(level)], []
        for name in reversed(levels[: levels.index(level) + 1]):
            parents = [self.within[name][code] for code in self.codes[name]]
            means = {
                p: np.mean([w for w, q in zip(weights, parents, strict=True) if q == p]) for p in set(parents)
            }
            centred = [w - means[p] for w, p in zip(weights, parents, strict=True)]
            found.append((name, float(np.dot(centred, centred))))
            weights = np.array([means[p] for p in dict.fromkeys(parents)])
        return [*found, ("", float(weights[0] ** 2))]


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
