"""Roles of admins and the rights of each role, in one table."""

from __future__ import annotations

from typing import Literal

from auth.errors import RegistryError

Right = Literal["read", "tokens", "access", "administration"]

ROLES = ("auditor", "issuer", "registrar", "owner")
ROLES_WITH_RIGHT: dict[Right, tuple[str, ...]] = {
    "read": ROLES,  # see everything, change nothing
    "tokens": ("issuer", "owner"),  # issue, replace, narrow, revoke
    "access": ("registrar", "owner"),  # applications, projects, researchers, notices
    "administration": ("owner",),  # admins, keys, the withdrawal of releases
}


class RoleTooSmall(RegistryError):
    """An action that an admin's role does not include."""


def ensure_has_right(role: str, right: Right) -> None:
    """Raises RoleTooSmall unless the role has the right."""
    if role not in ROLES_WITH_RIGHT[right]:
        raise RoleTooSmall(
            f"The role {role} does not include this action, which is for {' or '.join(ROLES_WITH_RIGHT[right])}.",
            parameter="Authorization",
            allowed=ROLES_WITH_RIGHT[right],
        )
