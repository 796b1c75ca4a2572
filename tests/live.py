"""API servers on free ports, in a thread or in processes, for tests that need a real connection."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from api.app import create_app
from api.server.protocol import StrictHttpProtocol
from api.settings import ApiSettings
from tests.deployment import Deployment


@contextmanager
def running_server(deployment: Deployment, **settings: Any) -> Iterator[str]:
    """Run the API over a deployment, as `daylight serve` does, until the end of the block; yields its address."""
    app = create_app(ApiSettings(home=deployment.home, **settings), deployment.registry_settings)
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
        while not server.started:
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def server_processes(
    deployment: Deployment, number: int, log: Path = Path(os.devnull), /, **settings: str
) -> Iterator[list[str]]:
    """Run so many processes of `daylight serve` over a deployment, with their logs in one file; yields their addresses."""
    with ExitStack() as stack:
        lines = stack.enter_context(log.open("ab"))
        urls = []
        for _ in range(number):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            env = {**os.environ, "DAYLIGHT_HOME": str(deployment.home), **settings}
            command = [str(Path(sys.executable).with_name("daylight")), "serve", "--port", str(port)]
            server = stack.enter_context(subprocess.Popen(command, env=env, stdout=lines, stderr=lines))
            stack.callback(server.terminate)
            urls.append(f"http://127.0.0.1:{port}")
        for url in urls:
            until = time.monotonic() + 30
            while time.monotonic() < until:
                try:
                    httpx2.get(f"{url}/healthz")
                    break
                except httpx2.TransportError:
                    time.sleep(0.1)
        yield urls
