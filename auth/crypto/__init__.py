"""Signing keys, JWT and JWS, and strict parsing of base64url and JSON."""
