"""Random bits from the operating system, and the noise made from them. There is no seed."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from datasets.privacy.axis import Floats
from datasets.privacy.discrete_gaussian import discrete_gaussian
from datasets.privacy.residuals import Integers


def random_words(number: int) -> NDArray[np.uint64]:
    """Independent uniform 64-bit words from the operating system's generator; shape (number,)."""
    return np.frombuffer(bytearray(os.urandom(8 * number)), dtype=np.uint64)


def discrete_gaussian_noise(scales: Floats) -> Integers:
    """The noise of every release: one independent draw from the exact discrete Gaussian for each scale."""
    return discrete_gaussian(scales, random_words)
