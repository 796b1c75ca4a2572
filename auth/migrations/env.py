"""Runs migrations on the connection of `auth.db.migrate`, inside its transaction."""

from __future__ import annotations

from alembic import context

from auth.db.admin_models import Admin as _Admin  # noqa: F401  registers its tables with Base
from auth.db.models import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata)
context.run_migrations()
