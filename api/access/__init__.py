"""Access control: authentication, authorization, rate limits, quota."""
