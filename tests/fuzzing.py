"""Asking the API everything that its description allows, and much that it does not: schemathesis against a live server.

`python -m tests.fuzzing 20000` asks until so many cases have been tried; the suite asks fewer.
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
from tests.live import served

ROOT = Path(__file__).parents[1]
UNBOUNDED = dict.fromkeys(
    ("limit_open", "limit_extended", "limit_files", "limit_admin", "limit_attempts"), "10000000/minute"
)
CLOSING = "^/v1/me/tokens/|^/v1/admin/session/close|^/v1/admin/keys/|^/v1/admin/admins/.*/end"
"""Acts after which nothing could be asked."""


def fuzz(deployment: Deployment, examples: int, *options: str) -> tuple[int, int, str]:
    """What a researcher may ask, in every phase, with so many examples an operation; gives the exit code, the number of cases
    and the report. Of datasets of which nothing is released, every question has one answer, so none is asked."""
    token = deployment.token(deployment.project(ALL, "extended"))
    empty = [f"^/v1/datasets/{d.name}/" for d in DATASETS if not released_months(deployment.releases, d.name)]
    left_out = "|".join((CLOSING, "^/v1/admin", *empty))
    return _run(deployment, token, examples, "--exclude-path-regex", left_out, *options)


def fuzz_admin(deployment: Deployment, examples: int, *options: str) -> tuple[int, int, str]:
    """What an owner may do, in the same way. It changes the deployment."""
    chosen = ("--include-path-regex", "^/v1/admin", "--exclude-path-regex", CLOSING)
    return _run(deployment, deployment.session(), examples, *chosen, *options)


def _run(deployment: Deployment, token: str, examples: int, *options: str) -> tuple[int, int, str]:
    with served(deployment, **UNBOUNDED) as address, tempfile.TemporaryDirectory() as elsewhere:
        run = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(ROOT / "schemathesis.toml"),
                "run", f"{address}/openapi.json", "--header", f"Authorization: Bearer {token}", "--max-examples", str(examples),
                "--phases", "examples,coverage,fuzzing,stateful",
                "--request-timeout", "60",  # what is tried is what is answered: a busy machine may take long to draw a first chart
                "--no-color", *options,
            ],
            cwd=elsewhere,
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
        for dataset in ("moderation", "ads", "recommendations"):
            print(f"building {dataset} ...", flush=True)
            deployment.release(dataset, "2026-06", rows=5_000)
        while tried < wanted:
            for ask in (fuzz, fuzz_admin):
                code, cases, report = ask(deployment, 100)
                tried += cases
                print(f"{tried} of {wanted} cases tried", flush=True)
                if code or not cases:
                    print(report)
                    sys.exit(f"schemathesis found something after {tried} cases")
        deployment.close()
    print(f"{tried} cases: no failure, no 5xx, no status that is not described")


if __name__ == "__main__":
    main()
