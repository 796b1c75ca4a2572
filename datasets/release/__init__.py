"""Releases: what was published, and how to ask it. Nothing here can write one."""
