"""A number of a report: value, standard error, interval and status; or the absence of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite, nan
from typing import Any

import numpy as np

from datasets.privacy.difference import independent_difference
from datasets.privacy.estimate import Estimate
from datasets.release.answer.table import FigureValues
from datasets.release.format.status import STATUS as STATUS_OF_ANSWERS

ABSENT = "O"
STATUS = {**STATUS_OF_ANSWERS, ABSENT: "no release answers this, so there is no number"}
"""The meaning of each status letter (SDMX code list of observation status, CL_OBS_STATUS)."""


@dataclass(frozen=True, slots=True)
class Number:
    """A value with its standard error and interval, in the unit of its indicator; None if it does not exist."""

    value: float | None
    se: float | None
    lo: float | None
    hi: float | None
    status: str

    @classmethod
    def exact(cls, value: float) -> Number:
        """A number without noise."""
        return cls(value, 0.0, value, value, "A")

    @classmethod
    def read(cls, row: Mapping[str, Any], figure: str) -> Number:
        """The number in the columns of this figure in a row of an answer."""
        value, se, lo, hi = (row[figure + end] for end in ("", "_se", "_lo", "_hi"))
        return cls(value, se, lo, hi, row[f"{figure}_status"])

    def minus(self, other: Number) -> Number:
        """This number minus one of other releases, whose noise is independent."""
        if {self.status, other.status} & {"L", ABSENT}:
            return NO_NUMBER
        found = independent_difference(_estimate(self), _estimate(other))
        measured = FigureValues(found, np.zeros(1, dtype=np.bool_))
        value, se, lo, hi = (float(each[0]) if isfinite(each[0]) else None for each in measured.numbers())
        return Number(value, se, lo, hi, str(measured.status()[0]))

    def document(self) -> dict[str, Any]:
        return asdict(self)


NO_NUMBER = Number(None, None, None, None, ABSENT)


def _estimate(number: Number) -> Estimate:
    four = (number.value, number.se, number.lo, number.hi)
    return Estimate(*(np.array([nan if each is None else each]) for each in four))
