"""`python -m tests.docs --write` writes the tables of docs/privacy that follow from the declarations of datasets."""

from __future__ import annotations

import sys

from tests.docs.figures import write_tables

if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("python -m tests.docs: write --write to write the tables of docs/privacy again")
    write_tables()
