"""Fuzzing of the API with schemathesis: requests that the OpenAPI description allows, and many that it does not.

`python -m tests.fuzzing 20000` runs at least 20,000 cases against a running server; the test suite runs fewer.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from datasets.catalogue import DATASETS
from datasets.release.format.layout import released_months
from tests.deployment import ALL, Deployment
from tests.live import running_server

ROOT = Path(__file__).parents[1]
UNBOUNDED = dict.fromkeys(
    ("limit_open", "limit_extended", "limit_files", "limit_admin", "limit_attempts"), "10000000/minute"
)
CLOSING = "^/v1/me/tokens/|^/v1/admin/session/close|^/v1/admin/keys/|^/v1/admin/admins/.*/end"
"""Operations that would revoke the token, session or key that the fuzzer itself needs."""


def fuzz(deployment: Deployment, examples: int, *options: str) -> tuple[int, int, str]:
    """Fuzz the operations of researchers in every phase, with so many examples for each operation.

    Returns the exit code, the number of cases and the report. Datasets without a release are excluded, since every question
    about them has the same answer.
    """
    token = deployment.token(deployment.project(ALL, "extended"))
    empty = [f"^/v1/datasets/{d.name}/" for d in DATASETS if not released_months(deployment.releases, d.name)]
    excluded = "|".join((CLOSING, "^/v1/admin", *empty))
    return _run(deployment, token, examples, "--exclude-path-regex", excluded, *options)


def fuzz_admin(deployment: Deployment, examples: int, *options: str) -> tuple[int, int, str]:
    """Fuzz the operations of admins in the same way, with the session of an owner. This changes the deployment."""
    chosen = ("--include-path-regex", "^/v1/admin", "--exclude-path-regex", CLOSING)
    return _run(deployment, deployment.session(), examples, *chosen, *options)


def _run(deployment: Deployment, token: str, examples: int, *options: str) -> tuple[int, int, str]:
    with running_server(deployment, **UNBOUNDED) as address, tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(ROOT / "schemathesis.toml"),
                "run", f"{address}/openapi.json", "--header", f"Authorization: Bearer {token}", "--max-examples", str(examples),
                "--phases", "examples,coverage,fuzzing,stateful",
                "--request-timeout", "60",  # on a busy machine, the first chart takes long
                "--no-color", *options,
            ],
            cwd=folder,
            env={**os.environ, "PYTHONWARNINGS": ""},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
    cases = re.search(r"(\d+) generated", run.stdout)
    return run.returncode, int(cases[1]) if cases else 0, run.stdout + run.stderr


def main() -> None:
    wanted, tried = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, 0
    with tempfile.TemporaryDirectory() as home:
        deployment = Deployment(Path(home))
        for dataset in DATASETS:
            print(f"building {dataset.name} ...", flush=True)
            deployment.release(dataset.name, "2026-06", rows=5_000)
        while tried < wanted:
            for run in (fuzz, fuzz_admin):
                code, cases, report = run(deployment, 100)
                tried += cases
                print(f"{tried} of {wanted} cases run", flush=True)
                if code or not cases:
                    print(report)
                    sys.exit(f"schemathesis reports a failure after {tried} cases")
        deployment.close()
    print(f"{tried} cases: no failure, no 5xx, no status that is not described")


if __name__ == "__main__":
    main()
