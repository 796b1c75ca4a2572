"""API servers on free ports, in a thread or in processes, for tests that need a real connection."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from api.app import create_app
from api.server.protocol import StrictHttpProtocol
from tests.deployment import Deployment
from tests.waiting import PATIENCE, wait_if_a_half_day_ends, wait_until


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port of 127.0.0.1 on which nothing listens, and which no other process is given until the end of the block.

    It stays bound without listening. A server that is told to use it can listen on it, because both set SO_REUSEADDR.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextmanager
def running_server(deployment: Deployment, **settings: Any) -> Iterator[str]:
    """Run the API over a deployment, as `daylight serve` does, until the end of the block; yields its address."""
    app = create_app(deployment.api_settings(**settings), deployment.registry_settings)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app,
            access_log=False,
            log_config=None,
            proxy_headers=False,
            http=StrictHttpProtocol,
            ws="none",
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        wait_until(lambda: server.started, "the server")
        wait_if_a_half_day_ends()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE)


@contextmanager
def server_processes(
    deployment: Deployment, number: int, log: Path = Path(os.devnull), /, **settings: str
) -> Iterator[list[str]]:
    """Run so many processes of `daylight serve` over a deployment, with their logs in one file; yields their addresses."""
    with ExitStack() as stack:
        lines = stack.enter_context(log.open("ab"))
        urls = []
        for _ in range(number):
            port = stack.enter_context(reserved_port())
            env = {
                **os.environ,
                "DAYLIGHT_HOME": str(deployment.home),
                "DAYLIGHT_DEADLINE_SECONDS": str(PATIENCE),
                **settings,
            }
            command = [str(Path(sys.executable).with_name("daylight")), "serve", "--port", str(port)]
            server = stack.enter_context(subprocess.Popen(command, env=env, stdout=lines, stderr=lines))
            stack.callback(server.terminate)
            urls.append(f"http://127.0.0.1:{port}")
        for url in urls:
            wait_until(partial(answers, url), f"the server at {url}")
        wait_if_a_half_day_ends()
        yield urls


def answers(url: str) -> bool:
    """Whether a server answers at an address."""
    try:
        return httpx2.get(f"{url}/healthz", timeout=PATIENCE).is_success
    except httpx2.TransportError:
        return False
