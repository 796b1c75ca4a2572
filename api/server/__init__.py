"""What surrounds every request: the HTTP protocol, the middleware, background tasks, metrics."""
