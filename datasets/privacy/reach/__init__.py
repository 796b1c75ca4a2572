"""Reach: how many different persons have at least one row in each cell of a cuboid (docs/privacy/reach.md)."""
