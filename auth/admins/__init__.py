"""Admins: their accounts and sessions, their roles, and acts that need two of them."""
