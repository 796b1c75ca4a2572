"""/v1/admin: what admins do over HTTP. Each operation needs a right of the admin's role; each change needs a reason."""

from __future__ import annotations

from api.routes.admin import (
    admins,
    applications,
    audit,
    ending,
    keys,
    notices,
    projects,
    releases,
    researchers,
    sessions,
    tokens,
)

_NOUNS = (
    applications, researchers, notices, ending, projects, tokens, sessions, admins, keys, audit, releases,
)  # fmt: skip
ROUTERS = tuple(noun.router for noun in _NOUNS)
