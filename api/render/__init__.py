"""Answers, codebooks and reports as CSV, Parquet, Arrow, HTML, Atom and SVG."""
