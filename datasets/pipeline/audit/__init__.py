"""The privacy audit: neighbouring inputs are built many times, and their releases are attacked (docs/privacy/attacks.md)."""
