"""Rendering of answers, codebooks, changes and reports: JSON, CSV, Parquet, Arrow, Markdown, Atom, HTML and SVG."""
