"""Verdicts: what was measured, what was promised, and whether they fit."""

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
"""How often a check of the noise may fail a sound build."""

MOVES = "moves"
DISTANCE = "d'"
EPSILON = "epsilon"
SCALE = "noise as stated"
SHARED = "noise shared"
REPEATED = "noise repeated"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of an audit; it passes where `measured` is at most `limit`. `promised` is the limit but for chance."""

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
    """Builds of both inputs of one canary, as its probes read them, in standard deviations of the stated noise.

    `without` and `with_` have shape (builds, probes), and what they would read without noise shape (probes,); `names` says
    what each probe is of, `shifts` how far the canary moves it, `rho` what was promised.
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
        """The noise alone, build by build in the order in which they were made; shape (2 · builds, probes)."""
        both = np.stack((self.without - self.quiet_without, self.with_ - self.quiet_with), axis=1)
        return both.reshape(-1, len(self.names))


def exact_shift_verdict(canary: str, shifts: Floats, rho: Fraction) -> Verdict:
    """How far the canary moves all that is published, exactly: rho promises sqrt(2 rho) standard deviations."""
    promise = sqrt(2 * rho)
    return Verdict(canary, MOVES, float(np.linalg.norm(shifts)), promise, promise * (1 + 1e-9))


def noise_verdicts(attack: Attack, confidence: float, delta: float) -> list[Verdict]:
    """What builds with noise say of one canary."""
    off, on = attack.without @ attack.shifts, attack.with_ @ attack.shifts
    promise = epsilon(attack.rho, delta)
    said = f"a lower bound, with {confidence:.0%} confidence, at delta {delta:g}"
    return [
        distance_verdict(attack, off, on),
        Verdict(attack.canary, EPSILON, epsilon_bound(off, on, confidence, delta), promise, promise, said),
        scale_verdict(attack),
        correlation_verdict(attack),
        autocorrelation_verdict(attack),
    ]


def distance_verdict(attack: Attack, off: Floats, on: Floats) -> Verdict:
    """d' of the best linear discriminant, which exceeds sqrt(2 rho) + 3 sqrt(2 / builds) once in 700 sound audits."""
    spread = sqrt((float(off.var(ddof=1)) + float(on.var(ddof=1))) / 2)
    d = float(on.mean() - off.mean()) / spread if spread else inf
    promise = sqrt(2 * attack.rho)
    return Verdict(attack.canary, DISTANCE, d, promise, promise + 3 * sqrt(2 / len(off)))


def scale_verdict(attack: Attack) -> Verdict:
    """How many times wider the stated noise is than the drawn: of the measure where it is so most clearly."""
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
    """The largest correlation r of the noise of two probes, as sqrt(-(n - 3) log(1 - r²)): in standard deviations, and true
    to the tail also where builds are few (the density of r is (1 - r²) to the power of (n - 5) / 2)."""
    noise, probes = attack.noise - attack.noise.mean(0), len(attack.names)
    if probes < 2:
        return Verdict(attack.canary, SHARED, 0.0, 0.0, 0.0)
    lengths = np.linalg.norm(noise, axis=0)
    scale = np.outer(lengths, lengths)
    r = np.ones((probes, probes))  # what is no noise at all is alike
    np.divide(noise.T @ noise, scale, where=scale > 0, out=r)
    one, other = np.triu_indices(probes, 1)
    at = int(np.abs(r[one, other]).argmax())
    largest = min(abs(float(r[one[at], other[at]])), 1 - 1e-12)
    detail = " and ".join(dict.fromkeys((attack.names[one[at]], attack.names[other[at]])))
    measured = sqrt(-(len(noise) - 3) * log1p(-(largest**2)))
    return Verdict(attack.canary, SHARED, measured, 0.0, _rare_quantile(2 * len(one)), detail)


def autocorrelation_verdict(attack: Attack) -> Verdict:
    """How alike the noise of builds is that follow each other, in standard deviations of what chance makes it."""
    noise, found = attack.noise, []
    for lag in (1, 2):
        product = noise[lag:] * noise[:-lag]
        found.append(abs(float(product.mean())) * sqrt(product.size))
    return Verdict(attack.canary, REPEATED, max(found), 0.0, _rare_quantile(4))


def _rare_quantile(tries: int) -> float:
    """The normal quantile that `tries` tries together pass with probability RARE."""
    return NormalDist().inv_cdf(1 - FALSE_ALARM_RATE / tries)
