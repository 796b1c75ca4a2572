"""The files of a release: names, documents, signatures, their verification."""
