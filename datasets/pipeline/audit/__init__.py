"""The privacy audit: neighbouring inputs are built many times, and what is published is attacked (PRIVACY.md, section 13)."""
