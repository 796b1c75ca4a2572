"""/v1/admin: the acts of admins over HTTP, each of which needs a right of the role and a reason."""

from __future__ import annotations

from api.routes.admin import access, house, projects, tokens

ROUTERS = (access.router, projects.router, tokens.router, house.router)
