"""Reference answers: the released Parquet is read row by row, and variances are computed with dense matrices.

No code is shared with what it checks: trees come from the codebook's `within`, matrices are written out.
"""

from __future__ import annotations

import json
from functools import cache
from itertools import product
from math import prod
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq


class Naive:
    """One release, answered from its files."""

    def __init__(self, folder: Path) -> None:
        self.manifest = json.loads((folder / "manifest.json").read_text())
        self.book = json.loads((folder / "codebook.json").read_text())
        self.rows = pq.read_table(folder / "cells.parquet").to_pylist()
        self.dimensions = [[level["name"] for level in d["levels"]] for d in self.book["dimensions"]]
        self.levels = {
            level["name"]: level["codes"] for d in self.book["dimensions"] for level in d["levels"]
        }
        self.measures = {measure["name"]: measure for measure in self.manifest["measures"]}

    def covering(self, measure: str, levels: set[str]) -> list[str]:
        """The published cuboids whose rows have codes of all these levels; a row at a finer level also has the coarser codes."""
        return [name for name in self.measures[measure]["cuboids"] if levels <= self.levels_in(name)]

    def levels_in(self, cuboid: str) -> set[str]:
        names = set() if cuboid == "total" else set(cuboid.split(","))
        return {n for levels in self.dimensions for i, n in enumerate(levels) if names & set(levels[i:])}

    def cells(self, cuboid: str) -> list[dict]:
        found = [row for row in self.rows if row["cuboid"] == cuboid]
        return [{k: v.isoformat() if hasattr(v, "isoformat") else v for k, v in row.items()} for row in found]

    def answer(self, measure: str, cuboid: str, groups: list[str], filters: dict[str, set[str]]) -> dict:
        """For each group: the sum of the cells that pass the filters, and its variance."""
        cells = self.cells(cuboid)
        passing = np.array([all(cell[n] in codes for n, codes in filters.items()) for cell in cells])
        found = {}
        for key in dict.fromkeys(
            tuple(c[g] for g in groups) for c, p in zip(cells, passing, strict=True) if p
        ):
            weights = np.array([tuple(c[g] for g in groups) == key for c in cells]) * passing
            value = sum(c[measure] for c, w in zip(cells, weights, strict=True) if w)
            found[key] = value, self.variance(measure, cuboid, weights)
        return found

    def variance(self, measure: str, cuboid: str, weights: np.ndarray) -> float:
        """sum_B s_B |(centring of B) (spreading of B to the cuboid)' weights|², then the same of a sum's count."""
        entry = self.measures[measure]
        depths = self.depths(cuboid)
        shares = {self.depths(r["cuboid"]): r["variance"] for r in entry["residuals"]}
        total = 0.0
        for b in product(*(range(level + 1) for level in depths)):
            folded = self.kron(self.spreading, b, depths).T @ weights
            centred = self.kron(self.centring, b, b) @ folded
            total += shares[b] * float(centred @ centred)
        if entry["counted_by"]:
            total += entry["middle"] ** 2 * self.variance(entry["counted_by"], cuboid, weights)
        return total

    def depths(self, cuboid: str) -> tuple[int, ...]:
        names = set(cuboid.split(","))
        return tuple(max((i for i, n in enumerate(d, 1) if n in names), default=0) for d in self.dimensions)

    def size(self, cuboid: str) -> int:
        return prod(len(self.levels[n]) for n in cuboid.split(",")) if cuboid != "total" else 1

    @staticmethod
    def kron(matrix, left: tuple[int, ...], right: tuple[int, ...]) -> np.ndarray:
        whole = np.eye(1)
        for at, (b, a) in enumerate(zip(left, right, strict=True)):
            whole = np.kron(whole, matrix(at, b, a))
        return whole

    @cache  # noqa: B019  the object lives as long as its test module
    def spreading(self, at: int, coarse: int, fine: int) -> np.ndarray:
        """From a level to a finer one: each value divided equally among its children, level by level."""
        whole = np.eye(self.codes_at(at, coarse))
        for level in range(coarse, fine):
            parents = self.parents(at, level + 1)
            step = np.zeros((len(parents), self.codes_at(at, level)))
            for child, parent in enumerate(parents):
                step[child, parent] = 1 / parents.count(parent)
            whole = step @ whole
        return whole

    @cache
    def centring(self, at: int, level: int, _: int) -> np.ndarray:
        """Each value minus the mean of its siblings."""
        if level == 0:
            return np.eye(1)
        parents = self.parents(at, level)
        siblings = np.array([[p == q for q in parents] for p in parents], dtype=float)
        centred: np.ndarray = np.eye(len(parents)) - siblings / siblings.sum(axis=1, keepdims=True)
        return centred

    def codes_at(self, at: int, level: int) -> int:
        return len(self.levels[self.dimensions[at][level - 1]]) if level else 1

    def parents(self, at: int, level: int) -> list[int]:
        codes = self.levels[self.dimensions[at][level - 1]]
        if level == 1:
            return [0] * len(codes)
        above = [code["code"] for code in self.levels[self.dimensions[at][level - 2]]]
        return [above.index(code["within"]) for code in codes]
