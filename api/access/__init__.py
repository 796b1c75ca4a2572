"""Who sends a request and whether it may go on: token, scope, rate limit, quota."""
