"""Tokens: issuing, rotation, revocation, the look-up on each request, and usage."""
