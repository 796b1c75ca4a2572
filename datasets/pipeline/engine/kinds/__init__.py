"""The kinds of measure: what can be counted of persons and of organisations, and the counting (docs/privacy/counting.md)."""
