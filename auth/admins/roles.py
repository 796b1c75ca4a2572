"""What an admin may do: one table, from the right that an act needs to the roles that have it."""

from __future__ import annotations

from typing import Literal

from auth.errors import RegistryError

Right = Literal["read", "tokens", "access", "house"]

ROLES = ("auditor", "issuer", "registrar", "owner")
MAY: dict[Right, tuple[str, ...]] = {
    "read": ROLES,  # see everything, change nothing
    "tokens": ("issuer", "owner"),  # issue, replace, narrow, revoke
    "access": ("registrar", "owner"),  # applications, projects, researchers, notices
    "house": ("owner",),  # admins, keys, the withdrawal of releases
}


class RoleTooSmall(RegistryError):
    """An act that an admin's role does not include."""


def ensure_may(role: str, right: Right) -> None:
    """Raises RoleTooSmall unless the role has the right."""
    if role not in MAY[right]:
        raise RoleTooSmall(
            f"The role {role} does not include this act, which is for {' or '.join(MAY[right])}.",
            parameter="Authorization",
            allowed=MAY[right],
        )
