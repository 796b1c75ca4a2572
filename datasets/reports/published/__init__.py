"""Transparency reports as others have published them: read with their quirks, checked, and set against releases."""
