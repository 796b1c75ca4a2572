"""A process that has imported everything and forks an API server for each port that it reads from standard input.

Each server starts without importing anything, so a test can start and kill a hundred of them in seconds.
"""

from __future__ import annotations

import os
import signal
import sys

import uvicorn

from api.app import create_app
from api.server.protocol import StrictHttpProtocol


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            uvicorn.run(
                create_app(),
                port=int(line),
                http=StrictHttpProtocol,
                ws="none",
                access_log=False,
                log_config=None,
            )
            return
        print(child, flush=True)


if __name__ == "__main__":
    main()
