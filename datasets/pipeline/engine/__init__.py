"""Bounding and counting in DuckDB."""
