"""What stands around every request: the HTTP parser, the middleware, background tasks, metrics."""
