"""Where a release comes from: hashes of the code, of what is installed, and of the input, the last one salted."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import datasets
from datasets.refusal import Refusal


@cache
def code_hash() -> str:
    """SHA-256 over every source file of this package, with its name."""
    root = Path(datasets.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@cache
def lock_hash() -> str:
    """SHA-256 over the name and version of every installed distribution: what the lock file came to.

    Read once in a process, which goes on with what it has imported.
    """
    installed = sorted({f"{d.metadata['Name'].lower()}=={d.version}" for d in distributions()})
    return hashlib.sha256("\n".join(installed).encode()).hexdigest()


def load_salt(private: Path) -> str:
    """The deployment's secret salt, made on first use; 64 hexadecimal digits in a file only its owner may read.

    It orders the rows of a unit and keys the hash of the input, so that neither tells anything about the rows.
    """
    path = private / "salt"
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        fresh = private / f".salt-{secrets.token_hex(8)}"
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(32))
        with suppress(FileExistsError):  # another build was first: its salt is the one
            os.link(fresh, path)
        fresh.unlink()
    text = path.read_text().strip()
    if len(text) != 64:
        raise Refusal(
            f"the salt in {path} is damaged: it must hold 64 hexadecimal digits; restore it from a backup"
        )
    return text


def input_hash(files: Iterable[Path], key: str) -> str:
    """HMAC-SHA256 over the files' contents in order of name, under the deployment's salt."""
    digest = hmac.new(key.encode(), digestmod=hashlib.sha256)
    for path in sorted(files):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
