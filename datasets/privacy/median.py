"""The median of values that are known only by bands, from noisy counts of the bands.

Inside a band, values are assumed to lie evenly. With F(t) the noisy number of values below t and N that of all, the median
is where D(t) = F(t) - N/2 crosses 0; D is linear in the counts, so its variance is known at each t, and the interval is
every t at which D(t) = 0 is not rejected (test inversion: Woodruff 1952). The standard error is half of such an interval of
one standard error either way, as Woodruff has it: in a band with few values, the slope of the
delta method holds for a small part of the band only. If an end of that interval is not known, the delta method is used.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from datasets.privacy.ratio import CLEAR

Floats = NDArray[np.float64]


def medians(
    edges: Sequence[float], counts: Floats, covariance: Floats, z: float
) -> tuple[Floats, Floats, Floats, Floats]:
    """Value, standard error, and the ends of the interval, for each cell.

    `edges` are the K + 1 ends of K bands, the last of which may be infinite. Shapes: counts (K, cells), covariance
    (K, K, cells), each result (cells,). NaN stands for no value, if the number of all values is within three standard
    errors of 0 or the median lies in the endless band, and for an end that is not known.

    >>> ends = [0.0, 1.0, 3.0, np.inf]
    >>> [float(m[0]) for m in medians(ends, np.array([[4.0], [4.0], [2.0]]), np.zeros((3, 3, 1)), 2.0)]
    [1.5, 0.0, 1.5, 1.5]
    """
    bands = len(counts)
    weights = np.tri(bands + 1, bands, -1) - 0.5  # row k: the bands below edge k, less half of all
    at = np.tensordot(weights, counts, 1)  # D at each edge
    moments = np.einsum("ka,abc,lb->klc", weights, covariance, weights)
    start, spread = np.asarray(edges[:-1], dtype=np.float64), np.diff(np.asarray(edges, dtype=np.float64))
    is_clear = at[-1] * 2 > np.maximum(CLEAR * 2 * np.sqrt(moments[-1, -1]), 0.0)
    value, error = _crossing(at, moments, start, spread)
    low, high = _not_rejected(at, moments, start, spread, z)
    below, above = _not_rejected(at, moments, start, spread, 1.0)
    error = np.where(np.isfinite(below) & np.isfinite(above), (above - below) / 2, error)
    with np.errstate(invalid="ignore"):
        found = (np.where(is_clear & np.isfinite(each), each, np.nan) for each in (value, error, low, high))
    value, error, low, high = found
    return value, error, low, high


def _crossing(at: Floats, moments: Floats, start: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """The t at which D first reaches 0, and its standard error by the delta method."""
    cells = np.arange(at.shape[1])
    band = np.argmax(at[1:] >= 0, axis=0)
    low, high = at[band, cells], at[band + 1, cells]
    with np.errstate(divide="ignore", invalid="ignore"):
        along = -low / (high - low)
        square = (
            (1 - along) ** 2 * moments[band, band, cells]
            + 2 * along * (1 - along) * moments[band, band + 1, cells]
            + along**2 * moments[band + 1, band + 1, cells]
        )
        value = start[band] + along * spread[band]
        error = np.sqrt(np.maximum(square, 0.0)) * spread[band] / (high - low)
    return value, error


def _not_rejected(
    at: Floats, moments: Floats, start: Floats, spread: Floats, z: float
) -> tuple[Floats, Floats]:
    """The least and the greatest t at which D(t)² <= z² Var D(t); the greatest is infinite in an endless band."""
    low, high = np.full(at.shape[1], np.inf), np.full(at.shape[1], -np.inf)
    for k in range(len(start)):
        here, step = at[k], at[k + 1] - at[k]
        v, w, both = moments[k, k], moments[k + 1, k + 1], moments[k, k + 1]
        a = step**2 - z * z * (v - 2 * both + w)
        b = 2 * here * step - z * z * (2 * both - 2 * v)
        c = here**2 - z * z * v
        for along in (np.zeros_like(c), np.ones_like(c), *_roots(a, b, c)):
            with np.errstate(invalid="ignore"):
                inside = (
                    (along >= 0) & (along <= 1) & (a * along**2 + b * along + c <= 1e-9 * (1 + np.abs(c)))
                )
                t = start[k] + np.where(along > 0, along * spread[k], 0.0)
            low = np.where(inside, np.minimum(low, t if np.isfinite(spread[k]) else start[k]), low)
            high = np.where(inside, np.maximum(high, t), high)
    return low, high


def _roots(a: Floats, b: Floats, c: Floats) -> tuple[Floats, Floats]:
    """The roots of a x² + b x + c, in the form that loses no digits; NaN if there are none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        q = -0.5 * (b + np.copysign(np.sqrt(np.maximum(b * b - 4 * a * c, 0.0)), b))
        real = b * b >= 4 * a * c
        return np.where(real, q / a, np.nan), np.where(real, c / q, np.nan)
