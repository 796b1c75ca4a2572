"""The registry's database: tables, connections, and migration to the current version."""
