"""A server on a port of its own, for those who ask over a real connection."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from api.app import create_app
from api.server.protocol import StrictHttpProtocol
from api.settings import ApiSettings
from tests.deployment import Deployment


@contextmanager
def served(deployment: Deployment, **settings: object) -> Iterator[str]:
    """The address of an API over a deployment, as `daylight serve` runs it, while the block lasts."""
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
