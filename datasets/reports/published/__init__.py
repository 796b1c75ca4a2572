"""Transparency reports as platforms have published them: read with their quirks, checked, and compared with releases."""
