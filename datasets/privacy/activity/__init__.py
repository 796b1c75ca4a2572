"""Activity: how many persons have how many rows, and how many rows a bound drops (docs/privacy/activity.md)."""
