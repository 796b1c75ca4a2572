"""The registry's tables, version by version (Alembic). `auth.db.migrate` runs them."""
