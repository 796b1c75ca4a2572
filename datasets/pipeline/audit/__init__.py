"""The privacy audit: neighbouring inputs are built many times, and their releases are attacked (PRIVACY.md, section 13)."""
