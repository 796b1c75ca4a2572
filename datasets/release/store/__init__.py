"""Which releases there are and which are current."""
