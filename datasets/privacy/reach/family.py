"""Families: the different persons in each cell of one event cuboid X, how a person is weighed, and what that costs.

X has n cells, and the cap c says in how many of them a person counts fully. A person in k cells weighs w(k) in each of
them. The number of persons times b = beta/(2n) is subtracted, so that a person moves the n cells by less
(docs/privacy/reach.md#weights-and-centre).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from datasets.definition import Cuboid

GRAINS = 1_000
"""G: the grains of a person who is in no more cells than the cap."""


def weight(codes: int, cap: int) -> int:
    """The grains of a person in each of the `codes` cells in which they have a row, at least one.

    No grain is drawn by lot, and the squares of a person's weights add up to at most cap · G²
    (docs/privacy/reach.md#weights-and-centre).

    >>> weight(5, cap=5), weight(8, cap=5)
    (1000, 790)
    """
    return GRAINS if codes <= cap else isqrt(GRAINS**2 * cap // codes)


@dataclass(frozen=True)
class Family:
    """The different persons in each of the `cells` of an event cuboid, by person attributes.

    `cap` is the number of cells in which a person counts fully; `workload` are the published cuboids over the axes of the
    person attributes, the total among them. A cap from half of the cells on costs what the cap of all cells costs, which has
    no bias (docs/privacy/reach.md#the-cap). Raises ValueError if there are fewer than two cells, the cap is not one of 1 to
    `cells`, or the total is missing.

    >>> Family("category", cells=17, cap=5, workload=((),)).price
    Fraction(60, 17)
    """

    name: str
    cells: int
    cap: int
    workload: tuple[Cuboid, ...]

    def __post_init__(self) -> None:
        if self.cells < 2:
            raise ValueError(f"family {self.name!r}: cells is {self.cells}; a family has at least 2 cells")
        if not 1 <= self.cap <= self.cells:
            raise ValueError(
                f"family {self.name!r}: cap is {self.cap}; it is a number from 1 to {self.cells}"
            )
        if all(any(cuboid) for cuboid in self.workload):
            raise ValueError(f"family {self.name!r}: its workload lacks the total, a cuboid of zeros")

    @property
    def is_capped(self) -> bool:
        """Whether a person may weigh less than one in a cell, so that the number published is below the reach."""
        return self.cap < self.cells

    @property
    def grain(self) -> int:
        """2nG: the integers that are measured, in one person."""
        return 2 * self.cells * GRAINS

    @property
    def doubled_centre(self) -> int:
        """beta = 2n · b, an integer: what is subtracted for each person and cell, in parts of 2n."""
        return min(2 * self.cap, self.cells)

    @property
    def centre(self) -> Fraction:
        """b: the part of the number of persons that is subtracted in each cell, at most one half."""
        return Fraction(self.doubled_centre, 2 * self.cells)

    @cached_property
    def weights(self) -> NDArray[np.int64]:
        """The grains of a person in each of their cells, by their number of cells: w(0) = 0 to w(n); shape (n + 1,)."""
        return np.array([0] + [weight(k, self.cap) for k in range(1, self.cells + 1)], dtype=np.int64)

    def squared_move(self, codes: int) -> int:
        """The squared length by which a person in so many cells moves the n integers that are measured."""
        inside = 2 * self.cells * int(self.weights[codes]) - self.doubled_centre * GRAINS
        outside = self.doubled_centre * GRAINS
        return codes * inside**2 + (self.cells - codes) * outside**2

    @cached_property
    def squared_sensitivity(self) -> int:
        """D²: the largest squared move of any person, exactly; a person in no cell is one too."""
        return max(self.squared_move(codes) for codes in range(self.cells + 1))

    @property
    def sensitivity(self) -> int:
        """D, rounded up to an integer."""
        return isqrt(self.squared_sensitivity - 1) + 1

    @property
    def price(self) -> Fraction:
        """d = D²/(2nG)²: c - c²/n, and n/4 from c = n/2 on (docs/privacy/reach.md#the-price)."""
        return Fraction(self.squared_sensitivity, self.grain**2)
