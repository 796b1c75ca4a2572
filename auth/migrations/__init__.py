"""The registry's tables, version by version (Alembic). `auth.schema` runs them."""
