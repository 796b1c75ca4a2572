"""Changes as an Atom feed (RFC 4287), for those who would rather be told than ask."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET  # writes only

ATOM = "application/atom+xml"
_SPACE = "http://www.w3.org/2005/Atom"


def feed(title: str, publisher: str, url: str, path: str, changes: Sequence[dict[str, Any]]) -> bytes:
    """The changes, the latest first, at `url` + `path`."""
    ET.register_namespace("", _SPACE)
    root = ET.Element(f"{{{_SPACE}}}feed")
    address = url.rstrip("/") + path
    _add(root, "title", title)
    _add(root, "id", _name(address))
    _add(root, "updated", changes[0]["at"] if changes else "1970-01-01T00:00:00+00:00")
    _add(_add(root, "author"), "name", publisher)
    _add(root, "link", rel="self", href=f"{address}?format=atom", type=ATOM)
    for change in changes:
        entry = _add(root, "entry")
        release = f"{change['dataset']}/{change['release']}"
        _add(entry, "title", f"{change['dataset']} {change['release']} {change['kind']}")
        _add(entry, "id", _name(_address(address, change)))
        _add(entry, "updated", change["at"])
        _add(entry, "link", rel="alternate", href=f"{url.rstrip('/')}/v1/releases/{release}")
        _add(entry, "content", change["detail"], type="text")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _address(address: str, change: dict[str, Any]) -> str:
    """What tells a change apart: a release is published and withdrawn once, but may be gone back to again and again."""
    again = f"/{change['at']}" if change["kind"] == "rolled back" else ""
    return f"{address}#{change['dataset']}/{change['release']}/{change['kind']}{again}"


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, f"{{{_SPACE}}}{name}", attributes)
    child.text = text or None
    return child


def _name(address: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, address).urn
