"""Changes as an Atom feed (RFC 4287), for clients that subscribe to them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET  # writes only

from api.http.media import ATOM

_NAMESPACE = "http://www.w3.org/2005/Atom"


def atom_feed(title: str, publisher: str, url: str, path: str, changes: Sequence[dict[str, Any]]) -> bytes:
    """The feed of these changes, which must be in order, the latest first. It is served at `url` + `path`."""
    ET.register_namespace("", _NAMESPACE)
    root = ET.Element(f"{{{_NAMESPACE}}}feed")
    feed_url = url.rstrip("/") + path
    _add_element(root, "title", title)
    _add_element(root, "id", _urn(feed_url))
    _add_element(root, "updated", changes[0]["at"] if changes else "1970-01-01T00:00:00+00:00")
    _add_element(_add_element(root, "author"), "name", publisher)
    _add_element(root, "link", rel="self", href=f"{feed_url}?format=atom", type=ATOM)
    for change in changes:
        entry = _add_element(root, "entry")
        release = f"{change['dataset']}/{change['release']}"
        _add_element(entry, "title", f"{change['dataset']} {change['release']} {change['kind']}")
        _add_element(entry, "id", _urn(_entry_url(feed_url, change)))
        _add_element(entry, "updated", change["at"])
        _add_element(entry, "link", rel="alternate", href=f"{url.rstrip('/')}/v1/releases/{release}")
        _add_element(entry, "content", change["detail"], type="text")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _entry_url(feed_url: str, change: dict[str, Any]) -> str:
    """The URL that identifies a change. A release is published and withdrawn at most once, but may be rolled back to several
    times, so a rollback is identified by its time too."""
    when = f"/{change['at']}" if change["kind"] == "rolled back" else ""
    return f"{feed_url}#{change['dataset']}/{change['release']}/{change['kind']}{when}"


def _add_element(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, f"{{{_NAMESPACE}}}{name}", attributes)
    child.text = text or None
    return child


def _urn(url: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, url).urn
