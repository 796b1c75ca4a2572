"""Where a release comes from: hashes of the code, of the installed packages and of the input, and the salt for the latter."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import datasets
from datasets.pipeline.engine.job import InputIdentity
from datasets.refusal import Refusal


@cache
def code_hash() -> str:
    """SHA-256 over the name and content of every source file of the package `datasets`."""
    root = Path(datasets.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(f"{path.relative_to(root).as_posix()}\n".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


@cache
def lock_hash() -> str:
    """SHA-256 over the name and version of every installed distribution, which the lock file determines.

    Computed once in a process, since a process keeps the versions that it has imported.
    """
    installed = sorted({f"{d.metadata['Name'].lower()}=={d.version}" for d in distributions()})
    return hashlib.sha256("\n".join(installed).encode()).hexdigest()


def load_salt(private: Path) -> str:
    """The secret salt of the deployment: 64 hexadecimal digits in a file that only its owner may read, created on first use.

    The order of a unit's rows and the hash of the input depend on it, so that neither reveals anything about the rows.
    Raises Refusal if the file is damaged.
    """
    path = private / "salt"
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        fresh = private / f".salt-{secrets.token_hex(8)}"
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(32))
        with suppress(FileExistsError):  # another build created the salt first; use that one
            os.link(fresh, path)
        fresh.unlink()
    text = path.read_text().strip()
    if len(text) != 64:
        raise Refusal(
            f"the salt in {path} is damaged: it must hold 64 hexadecimal digits; restore it from a backup"
        )
    return text


def input_hash(identity: InputIdentity, key: str) -> str:
    """HMAC-SHA256 over what names the content of the input, with the deployment's salt as key."""
    return hmac.new(key.encode(), identity.content, hashlib.sha256).hexdigest()
