"""The HTTP API: from a request to its answer."""
