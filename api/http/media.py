"""The formats of answers and documents, and the media type of each."""

from __future__ import annotations

FORMATS = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
"""What the parameter `format` can name, with the media type that Accept can name and Content-Type says."""
ATOM = "application/atom+xml"
HTML = "text/html; charset=utf-8"
MARKDOWN = "text/markdown; charset=utf-8"
