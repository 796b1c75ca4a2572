"""The media types of answers and documents."""

from __future__ import annotations

FORMATS = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8; header=present",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
"""The values of the parameter `format`, each with its media type, as in Accept and Content-Type."""
ATOM = "application/atom+xml"
HTML = "text/html; charset=utf-8"
MARKDOWN = "text/markdown; charset=utf-8"
