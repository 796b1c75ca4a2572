"""Admins: their accounts and sessions, their roles, and actions that need two of them."""
