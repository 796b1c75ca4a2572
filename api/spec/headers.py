"""Header fields of responses in the description."""

from __future__ import annotations

from typing import Any

HEADERS = {
    "ETag": "A strong ETag. Send it as If-None-Match, and an unchanged answer is 304, which is not charged.",
    "Data-Release": "The releases that the answer is read from.",
    "Manifest-Signature": "The detached signature of the body (ES256; RFC 7515, appendix F).",
    "Document-Signature": "The detached signature of the body (ES256; RFC 7515, appendix F).",
    "X-Query-Id": "The identifier of the question and its releases, as `query_id` in the answer.",
    "X-Next-Cursor": "The cursor of the next page, as `page.next` in the answer.",
    "Link": "The URL of the next page, with rel=next (RFC 8288).",
    "Accept-Ranges": "`bytes`: the file can be read by ranges.",
    "Content-Range": "Which bytes these are of how many; with 416, how many there are.",
    "Last-Modified": "When the release was published.",
    "Content-Disposition": "The name under which to save the file.",
    "Retry-After": "Seconds to wait before the request is repeated.",
    "WWW-Authenticate": "What is wrong with the token (RFC 6750, section 3).",
    "RateLimit-Policy": "The rate limit that counted this request: its name, quota and window in seconds.",
    "RateLimit": "How many requests are left, and the seconds until the window is reset.",
    "X-Request-Id": "Identifies the request in the server's log.",
}
ON_EVERY_RESPONSE = ("RateLimit-Policy", "RateLimit", "X-Request-Id")
ON_STATUS = {
    "401": ("WWW-Authenticate",),
    "416": ("Content-Range",),
    "429": ("Retry-After",),
    "503": ("Retry-After",),
}
"""By status of a problem."""


def header_objects() -> dict[str, Any]:
    """The Header Objects of OpenAPI, by name."""
    return {
        name: {"description": described, "schema": {"type": "string"}} for name, described in HEADERS.items()
    }
