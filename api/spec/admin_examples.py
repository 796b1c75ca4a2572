"""What the description says of the addresses of admins: examples of what may stand in them."""

from __future__ import annotations

from typing import Any

EXAMPLES = {
    "name": "EX-1",
    "notice": "ntc_aaaaaaaaaaaaaaaa",
    "session": "tok_bbbbbbbbbbbbbbbbbbbbbbbbbb",
    "token": "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa",
    "kid": "0123456789abcdef",
    "purpose": "token",
}
"""By the name of the part."""
OF_ADDRESS = {
    "/v1/admin/applications/{name}/approve": {"name": "EX-2"},
    "/v1/admin/applications/{name}/state": {"name": "EX-3"},
    "/v1/admin/applications/{name}/mediation": {"name": "EX-5"},
    "/v1/admin/admins/{name}/role": {"name": "mover@example.org"},
    "/v1/admin/projects/{name}/status": {"name": "EX-4"},
    "/v1/admin/admins/{name}/end": {"name": "leaver@example.org"},
}
"""Where another example is better."""


def is_administered(path: str) -> bool:
    """Whether an address is for admins."""
    return path.startswith("/v1/admin")


def exemplify(parameter: dict[str, Any], path: str) -> None:
    """Give a part of an address its example."""
    parameter["example"] = OF_ADDRESS.get(path, {}).get(parameter["name"], EXAMPLES[parameter["name"]])
