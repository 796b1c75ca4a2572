"""Makes noisy counts printable: whole, not negative, and exactly additive, from the top of a tree downwards.

The total is rounded, and replaced by 0 if noise made it negative. Its parts become the nearest numbers (least squares) that
are not negative and add up to it: a projection on the simplex (Held, Wolfe and Crowder 1974, Mathematical Programming 6, 62),
rounded by largest remainders (Hamilton). This is post-processing, so it costs no privacy budget.

The report states the price: small parts move up, towards or above 0, and the large parts of the same total move down by the
same amount. The total itself is unbiased unless it is close to 0 relative to its noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from datasets.privacy.axis import Floats

Node = tuple[str, ...]


def make_additive(
    tree: Mapping[Node, Sequence[Node]], root: Node, noisy: Mapping[Node, float]
) -> dict[Node, int]:
    """Non-negative whole numbers for every node under `root`, each the exact sum of its children.

    >>> make_additive({("all",): [("a",), ("b",)]}, ("all",), {("all",): 7.4, ("a",): 9.0, ("b",): -1.6})
    {('all',): 7, ('a',): 7, ('b',): 0}
    """
    found = {root: max(0, round(noisy[root]))}
    open_ = [root]
    while open_:
        parent = open_.pop()
        children = tree.get(parent, ())
        parts = apportion(found[parent], np.array([noisy[child] for child in children]))
        found |= dict(zip(children, parts, strict=True))
        open_.extend(children)
    return found


def apportion(total: int, noisy: Floats) -> list[int]:
    """Non-negative whole numbers that add up to `total` and are close to the noisy ones.

    >>> apportion(10, np.array([6.5, 5.5, -3.0]))
    [6, 4, 0]
    """
    if not len(noisy):
        return []
    near = project_on_simplex(noisy, float(total))
    whole = np.floor(near + 1e-9)
    left = total - int(whole.sum())
    first = np.argsort(-(near - whole), kind="stable")[:left]
    whole[first] += 1
    return [int(each) for each in whole]


def project_on_simplex(point: Floats, total: float) -> Floats:
    """The nearest point to this one whose coordinates are not negative and add up to `total`."""
    falling = np.sort(point)[::-1]
    excess = (np.cumsum(falling) - total) / np.arange(1, len(point) + 1)
    last = int(np.flatnonzero(falling - excess >= 0)[-1])
    near: Floats = np.maximum(point - excess[last], 0.0)
    return near
