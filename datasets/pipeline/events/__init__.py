"""Raw events: where they lie, what they look like, which of them fit, and synthetic ones."""
