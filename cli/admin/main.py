"""`daylight admin`: the groups of its commands."""

from __future__ import annotations

import typer

from cli.admin.admins import admins, session
from cli.admin.applications import application
from cli.admin.audit import audit
from cli.admin.keys import key
from cli.admin.notices import notice
from cli.admin.projects import project, researcher
from cli.admin.tokens import token

admin = typer.Typer(
    no_args_is_help=True, help="Administer projects, researchers, tokens, keys and the audit log."
)
for name, group in (
    ("application", application),
    ("project", project),
    ("researcher", researcher),
    ("notice", notice),
    ("token", token),
    ("audit", audit),
    ("key", key),
    ("admins", admins),
    ("session", session),
):
    admin.add_typer(group, name=name)
