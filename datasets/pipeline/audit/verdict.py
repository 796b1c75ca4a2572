"""Verdicts: what was measured, what was promised, and whether the measurement is within its limit."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf, log1p, sqrt
from statistics import NormalDist

import numpy as np

from datasets.pipeline.audit.clopper_pearson import epsilon_bound
from datasets.privacy.axis import Floats
from datasets.privacy.zcdp import epsilon

FALSE_ALARM_RATE = 1e-4
"""The probability with which a check of the noise may fail although the build is correct."""

MOVES = "moves"
DISTANCE = "d'"
EPSILON = "epsilon"
SCALE = "noise as stated"
SHARED = "noise shared"
REPEATED = "noise repeated"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of an audit; it passes if `measured` is at most `limit`, which is `promised` with an allowance for chance."""

    about: str
    test: str
    measured: float
    promised: float
    limit: float
    detail: str = ""

    @property
    def passed(self) -> bool:
        return self.measured <= self.limit


@dataclass(frozen=True)
class Attack:
    """The readings of the probes of one canary on builds of both inputs, in standard deviations of the stated noise.

    `without` and `with_` have shape (builds, probes); `quiet_without` and `quiet_with` are the readings without noise, of
    shape (probes,). `names` are the measures of the probes, `shifts` their changes by the canary, and `rho` is the claimed
    rho.
    """

    canary: str
    rho: Fraction
    names: tuple[str, ...]
    shifts: Floats
    without: Floats
    with_: Floats
    quiet_without: Floats
    quiet_with: Floats

    @property
    def noise(self) -> Floats:
        """The noise of each build, in the order of the builds; shape (2 · builds, probes)."""
        both = np.stack((self.without - self.quiet_without, self.with_ - self.quiet_with), axis=1)
        return both.reshape(-1, len(self.names))


def exact_shift_verdict(canary: str, shifts: Floats, rho: Fraction) -> Verdict:
    """The exact change of everything published by the canary, of which rho promises at most sqrt(2 rho) standard
    deviations."""
    promise = sqrt(2 * rho)
    return Verdict(canary, MOVES, float(np.linalg.norm(shifts)), promise, promise * (1 + 1e-9))


def noise_verdicts(attack: Attack, confidence: float, delta: float) -> list[Verdict]:
    """The verdicts on one canary from builds with noise."""
    off, on = attack.without @ attack.shifts, attack.with_ @ attack.shifts
    promise = epsilon(attack.rho, delta)
    detail = f"a lower bound, with {confidence:.0%} confidence, at delta {delta:g}"
    return [
        distance_verdict(attack, off, on),
        Verdict(attack.canary, EPSILON, epsilon_bound(off, on, confidence, delta), promise, promise, detail),
        scale_verdict(attack),
        correlation_verdict(attack),
        autocorrelation_verdict(attack),
    ]


def distance_verdict(attack: Attack, off: Floats, on: Floats) -> Verdict:
    """d' of the best linear discriminant. It exceeds sqrt(2 rho) + 3 sqrt(2 / builds) in one of 600 tests of a correct build,
    if there are 400 builds (docs/privacy/attacks.md#the-bound-on-d)."""
    spread = sqrt((float(off.var(ddof=1)) + float(on.var(ddof=1))) / 2)
    d = float(on.mean() - off.mean()) / spread if spread else inf
    promise = sqrt(2 * attack.rho)
    return Verdict(attack.canary, DISTANCE, d, promise, promise + 3 * sqrt(2 / len(off)))


def scale_verdict(attack: Attack) -> Verdict:
    """The ratio of the stated to the drawn standard deviation, for the measure where it is largest relative to its limit."""
    square, found = attack.noise**2, []
    names = np.array(attack.names)
    each = dict.fromkeys(attack.names)
    for name in each:
        of = square[:, names == name]
        ratio = 1 / sqrt(float(of.mean())) if of.any() else inf
        slack = _rare_quantile(len(each)) * sqrt(2 / of.size)
        limit = 1 / sqrt(1 - slack) if slack < 1 else inf
        found.append(Verdict(attack.canary, SCALE, ratio, 1.0, limit, name))
    return max(found, key=lambda v: v.measured / v.limit if v.limit < inf else 0.0)


def correlation_verdict(attack: Attack) -> Verdict:
    """The largest correlation r of the noise of two probes, as sqrt(-(n - 3) log(1 - r²)): in standard deviations, and exact
    in the tail for few builds too (the density of r is (1 - r²) to the power of (n - 5) / 2)."""
    noise, probes = attack.noise - attack.noise.mean(0), len(attack.names)
    if probes < 2:
        return Verdict(attack.canary, SHARED, 0.0, 0.0, 0.0)
    lengths = np.linalg.norm(noise, axis=0)
    scale = np.outer(lengths, lengths)
    r = np.ones((probes, probes))  # probes without any noise count as fully correlated
    np.divide(noise.T @ noise, scale, where=scale > 0, out=r)
    one, other = np.triu_indices(probes, 1)
    at = int(np.abs(r[one, other]).argmax())
    largest = min(abs(float(r[one[at], other[at]])), 1 - 1e-12)
    detail = " and ".join(dict.fromkeys((attack.names[one[at]], attack.names[other[at]])))
    measured = sqrt(-(len(noise) - 3) * log1p(-(largest**2)))
    return Verdict(attack.canary, SHARED, measured, 0.0, _rare_quantile(2 * len(one)), detail)


def autocorrelation_verdict(attack: Attack) -> Verdict:
    """The autocorrelation of the noise of successive builds, in standard deviations of its value by chance."""
    noise, found = attack.noise, []
    for lag in (1, 2):
        product = noise[lag:] * noise[:-lag]
        found.append(abs(float(product.mean())) * sqrt(product.size))
    return Verdict(attack.canary, REPEATED, max(found), 0.0, _rare_quantile(4))


def _rare_quantile(tries: int) -> float:
    """The normal quantile that the largest of `tries` tries exceeds with probability FALSE_ALARM_RATE at most."""
    return NormalDist().inv_cdf(1 - FALSE_ALARM_RATE / tries)
