"""The API as `daylight serve` runs it, but with h11 as parser: the peer with which `bench.serving` compares our parser."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn

from api.server.protocol import MAX_HEAD_BYTES
from cli.serve import serve

run = uvicorn.run


def run_with_h11(app: Any, **options: Any) -> None:
    run(app, **{**options, "http": "h11", "h11_max_incomplete_event_size": MAX_HEAD_BYTES})


if __name__ == "__main__":
    uvicorn.run = run_with_h11  # the command passes all other options
    serve(port=int(sys.argv[1]))
