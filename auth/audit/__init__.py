"""The append-only, hash-chained log of what admins did."""
