"""`make demo`: synthetic events, three releases, a project, a token, and a question over HTTP.

All files are in var/demo, which is deleted and created again at each start.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from cli.terminal import print_table

HOME = Path("var") / "demo"
MONTH = "2026-06"
ROWS = {"moderation": 1_000_000, "ads": 200_000, "recommendations": 200_000}
QUESTION = "/v1/datasets/moderation/aggregates?measure=actions&group_by=category"


def daylight(*arguments: str, echo: bool = True) -> str:
    """Run the command `daylight` and return its output; its progress goes to the terminal."""
    if echo:
        print(f"$ daylight {' '.join(arguments)}", flush=True)
    command = [str(Path(sys.executable).with_name("daylight")), *arguments]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603  our own command
    if finished.returncode:
        sys.exit(
            f"demo: `daylight {arguments[0]} {arguments[1]}` failed with exit code {finished.returncode}; see the line above"
        )
    return finished.stdout.strip()


def build_releases() -> None:
    for dataset, rows in ROWS.items():
        events = str(HOME / "events")
        daylight("events", "generate", dataset, "--month", MONTH, "--rows", str(rows), "--out", events)
        print(daylight("release", "build", dataset, "--month", MONTH, "--events", events), flush=True)


def issue_token() -> str:
    until = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()
    project = daylight(
        "admin", "project", "create", "--reference", "demo-1", "--dsc", "IE", "--purpose", "Trying Daylight",
        "--scopes", "ads:read,moderation:read,recommendations:read", "--until", until, "--reason", "to try it",
    )  # fmt: skip
    daylight(
        "admin", "researcher", "add", "--project", project, "--name", "A Researcher",
        "--email", "researcher@example.org", "--institution", "An institution",
        "--reason", "to try it",
    )  # fmt: skip
    return daylight(
        "admin",
        "token",
        "issue",
        "--project",
        project,
        "--researcher",
        "researcher@example.org",
        "--reason",
        "to try it",
    )


def free_port() -> int:
    preferred = int(os.environ.get("DAYLIGHT_PORT", "8000"))
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    sys.exit("demo: there is no free port on 127.0.0.1")


def get(port: int, path: str, token: str | None = None) -> tuple[int, bytes]:
    """Status and body of the answer of the API, which listens on 127.0.0.1."""
    fields = {"Authorization": f"Bearer {token}"} if token else {}
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers=fields)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_until_ready(server: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            if get(port, "/readyz")[0] == 200:
                return
        except (OSError, HTTPException):
            pass  # it does not listen yet
        time.sleep(0.2)
    sys.exit(f"demo: the API did not start; see {HOME / 'serve.log'}")


def ask(port: int, token: str) -> list[dict[str, object]]:
    """The rows that answer the question of the demo."""
    status, body = get(port, QUESTION, token)
    if status != 200:
        sys.exit(f"demo: the API answered {status}: {body.decode(errors='replace')}")
    rows: list[dict[str, object]] = json.loads(body)["data"]
    return rows


def show(rows: list[dict[str, object]]) -> None:
    numbers = [name for name, value in rows[0].items() if isinstance(value, float)]
    lines = [
        tuple(f"{cell:,.1f}" if isinstance(cell, float) else str(cell) for cell in row.values())
        for row in rows
    ]
    print_table(
        tuple(rows[0]), lines, title=f"actions by category, {MONTH} (synthetic events)", right=numbers
    )


def main() -> None:
    shutil.rmtree(HOME, ignore_errors=True)
    os.environ["DAYLIGHT_HOME"] = str(HOME)
    build_releases()
    token = issue_token()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("daylight")), "serve", "--port", str(port)]
    with (HOME / "serve.log").open("wb") as log, subprocess.Popen(command, stderr=log) as server:  # noqa: S603  ours
        try:
            wait_until_ready(server, port)
            show(ask(port, token))
            print("\nSend the question yourself, from another terminal:\n")
            print(
                f"curl -H 'Authorization: Bearer {token}' '{url}{QUESTION}'\n", flush=True
            )  # one line, unwrapped
            listed = daylight("admin", "token", "list", echo=False).split()
            token_id = next((word for word in listed if word.startswith("tok_")), "TOKEN_ID")
            print(f"URL    {url}\nToken  {token}", flush=True)
            print(
                f"Revoke it:  DAYLIGHT_HOME={HOME} .venv/bin/daylight admin token revoke {token_id} --reason 'not needed'",
                flush=True,
            )
            print("Ctrl-C ends the demo.", flush=True)
            if not os.environ.get("DAYLIGHT_DEMO_ONCE"):
                server.wait()
        except KeyboardInterrupt:
            print("\nThe demo has ended.")
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
