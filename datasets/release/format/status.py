"""How the certainty of a result is described: confidence, what the interval covers, and the status of a cell."""

from __future__ import annotations

CONFIDENCE = 0.95
COVERS = (
    "The standard error and the interval cover the noise added for privacy. They do not cover the bounding of "
    "contributions, mistakes in the source, or what was not collected."
)
STATUS = {
    "A": "value with noise as stated",
    "U": "the same, of low reliability: its standard error is over 30 % of it, or noise leaves no value",
    "L": "not collected: the source does not know this level or this value, so there is no number",
}
UNRELIABLE = 0.3
"""The relative standard error above which a value has status U."""
