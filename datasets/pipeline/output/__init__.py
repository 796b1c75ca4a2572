"""Writing, testing and publishing the files of a release."""
