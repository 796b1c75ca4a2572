"""The discrete Gaussian of CKS20, sampled exactly and many at a time (docs/privacy/noise.md).

The algorithm is CKS20's (algorithms 1 to 3): a discrete Laplace proposal from a uniform, a coin and a geometric
draw, accepted with a coin. Every coin compares a uniform real, of which 64 bits are drawn first, with a threshold
exp(-gamma) known in floating point to within a proven margin. If the two are farther apart than the margin,
which happens in all but one of 2^32 coins, more bits and more digits could not change the outcome; otherwise the
coin is decided with as many bits and digits as needed. So each decision is the exact algorithm's decision.
Randomness is an argument, `words`: a function from a number to as many independent uniform 64-bit words.

The margin. A scale is a double of at most 2^40, so t = floor(scale) + 1 and every magnitude m that is accepted with
a probability over 2^-64 (m < 2^44) is exact in a double. gamma = (m - scale²/t)² / (2 scale²) has an absolute error
below 2^-40 where gamma < 64 (the difference is below 12 scales, each operation errs by 2^-53 in relative terms, and the
error of the difference is magnified by difference/scale² < 12/scale); larger gammas only need exp(-gamma) < 2^-92 + margin.
exp and log err by a few units in the last place, and w·2^-64 by 2^-53. Altogether below 2^-39; the margin is 2^-34.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Words = Callable[[int], NDArray[np.uint64]]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MAX_SCALE = 2.0**40
_MARGIN = 2.0**-34
_WORD = 2.0**-64


def discrete_gaussian(scales: Floats, words: Words, margin: float = _MARGIN) -> Integers:
    """One draw for each scale: integers z with probability proportional to exp(-z² / (2 scale²)).

    A wider `margin` changes only how many coins are decided with more bits and digits.
    Raises ValueError if a scale is not above 0 or is above 2^40.
    """
    flat = np.ascontiguousarray(scales, dtype=np.float64).ravel()
    if flat.size and not (flat.min() > 0 and flat.max() <= MAX_SCALE):
        raise ValueError(f"scales of the discrete Gaussian lie above 0 and at most at 2^40, not {flat.min()}")
    draws = np.zeros(flat.shape, dtype=np.int64)
    pending = np.arange(flat.size)
    while pending.size:
        scale = flat[pending]
        t = np.floor(scale).astype(np.int64) + 1
        magnitude, negative, proposed = _discrete_laplace(t, words, margin)
        pending_now, scale, t = pending[proposed], scale[proposed], t[proposed]
        gamma = (magnitude - scale * scale / t) ** 2 / (2 * scale * scale)
        accepted = _coin(gamma, _gaussian_gamma(magnitude, scale, t), words, margin)
        draws[pending_now[accepted]] = np.where(negative, -magnitude, magnitude)[accepted]
        pending = np.concatenate((pending[~proposed], pending_now[~accepted]))
    return draws.reshape(np.shape(scales))


def _gaussian_gamma(magnitude: Integers, scale: Floats, t: Integers) -> Callable[[int], Fraction]:
    def exact(i: int) -> Fraction:
        square = Fraction(float(scale[i])) ** 2
        return (int(magnitude[i]) - square / int(t[i])) ** 2 / (2 * square)

    return exact


def _discrete_laplace(
    t: Integers, words: Words, margin: float
) -> tuple[Integers, NDArray[np.bool_], NDArray[np.bool_]]:
    """One try each at a discrete Laplace draw of scale t (CKS20, algorithm 2, its loop unrolled).

    Returns the magnitudes and signs of the tries that succeeded, and which tries those are.
    """
    below, sign = _uniform_below(t, words)
    succeeded = _coin(below / t, lambda i: Fraction(int(below[i]), int(t[i])), words, margin)
    below, negative, scale = below[succeeded], sign[succeeded], t[succeeded]
    magnitude = below + scale * _geometric(below.size, words, margin)
    single_zero = ~(negative & (magnitude == 0))
    succeeded[succeeded] = single_zero
    return magnitude[single_zero], negative[single_zero], succeeded


def _uniform_below(limits: Integers, words: Words) -> tuple[Integers, NDArray[np.bool_]]:
    """Uniform integers in [0, limit), and an independent fair bit each: the word's top bit, which is not used otherwise."""
    mask = limits - 1
    for shift in (1, 2, 4, 8, 16, 32):
        mask |= mask >> shift
    drawn = words(limits.size)
    below = (drawn & mask.view(np.uint64)).view(np.int64)
    late = np.flatnonzero(below >= limits)
    while late.size:
        again = words(late.size)
        drawn[late] = again
        below[late] = (again & mask[late].view(np.uint64)).view(np.int64)
        late = late[below[late] >= limits[late]]
    return below, (drawn >> np.uint64(63)).astype(np.bool_)


def _coin(gamma: Floats, exact: Callable[[int], Fraction], words: Words, margin: float) -> NDArray[np.bool_]:
    """True with probability exp(-gamma), for each gamma; `exact(i)` is the i-th gamma without rounding."""
    drawn = words(gamma.size)
    above = np.exp(-gamma) - drawn * _WORD  # how far the threshold lies above the uniform
    heads: NDArray[np.bool_] = above > 0
    for i in np.flatnonzero(np.abs(above) <= margin):
        heads[i] = _is_below(_Uniform(int(drawn[i]), words), exact(int(i)))
    return heads


def _geometric(size: int, words: Words, margin: float) -> Integers:
    """The number of heads in a row of a coin of probability exp(-1): v with exp(-v-1) < u <= exp(-v), u uniform.

    The relative error of w·2^-64 is 2^-40 at most where w >= 2^40, and so is the error of its logarithm.
    """
    drawn = words(size)
    with np.errstate(divide="ignore"):
        logarithm = -np.log(drawn * _WORD)
    run: Integers = np.floor(np.minimum(logarithm, 64.0)).astype(np.int64)
    near = np.abs(logarithm - np.rint(logarithm)) <= margin
    for i in np.flatnonzero(near | (drawn < np.uint64(1 << 40))):
        uniform, heads = _Uniform(int(drawn[i]), words), 0
        while _is_below(uniform, Fraction(heads + 1)):
            heads += 1
        run[i] = heads
    return run


class _Uniform:
    """A uniform real in [0, 1), of which only as many bits are drawn as are needed."""

    def __init__(self, word: int, words: Words) -> None:
        self.numerator, self.bits, self._words = word, 64, words

    def draw_more(self) -> None:
        """Draw 64 more bits."""
        self.numerator = self.numerator << 64 | int(self._words(1)[0])
        self.bits += 64


def _is_below(uniform: _Uniform, gamma: Fraction) -> bool:
    """Whether the uniform lies below exp(-gamma): more bits and digits are computed until the two are apart.

    Decimal division and exp are correctly rounded, so at `digits` digits exp(-gamma) is known within a relative error
    of (gamma + 2) · 10^(1 - digits).
    """
    while True:
        if gamma >= uniform.bits:  # exp(-gamma) < 2^-gamma lies below every multiple of 2^-bits but 0
            if uniform.numerator:
                return False
            uniform.draw_more()
            continue
        digits = int(uniform.bits * 0.302) + 20
        with localcontext() as context:
            context.prec, context.Emin, context.Emax = digits, -(10**9), 10**9
            threshold = Fraction((-(Decimal(gamma.numerator) / Decimal(gamma.denominator))).exp())
        error = threshold * (gamma + 2) / 10 ** (digits - 1)
        low, high = (Fraction(uniform.numerator + up, 1 << uniform.bits) for up in (0, 1))
        if high <= threshold - error:
            return True
        if low >= threshold + error:
            return False
        uniform.draw_more()
