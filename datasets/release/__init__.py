"""Reading releases: their format, which are current, and answers to questions. Nothing here can write a release."""
