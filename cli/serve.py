"""The commands `daylight serve` and `daylight openapi`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer
import uvicorn

from api.app import create_app
from api.query.cursor_key import cursor_key
from api.server.protocol import StrictHttpProtocol
from api.settings import ApiSettings
from api.spec.document import describe
from api.spec.problems import markdown


def serve(
    host: Annotated[str, typer.Option(help="address to listen on; DAYLIGHT_HOST, or 127.0.0.1")] = "",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="port to listen on; DAYLIGHT_PORT, or 8000")
    ] = None,
) -> None:
    """Serve the API in one process, on one core. Put a proxy that terminates TLS in front of it."""
    settings = ApiSettings()
    cursor_key(settings)  # here its refusal is one line; while the server starts, it would be a traceback
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    _skip_unused_log_fields()
    uvicorn.run(
        create_app(settings),
        host=host or settings.host,
        port=settings.port if port is None else port,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=settings.proxies,
        timeout_graceful_shutdown=5,
        http=StrictHttpProtocol,
        ws="none",
    )


def _skip_unused_log_fields() -> None:
    """Do not look up the thread, the process and the calling line of each log record, since the format does not show them.

    See "Optimization" in Python's "Logging HOWTO".
    """
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    vars(logging)["_srcfile"] = None


def write_openapi(
    to: Annotated[Path, typer.Option(help="OpenAPI description to write")] = Path("openapi/openapi.json"),
    problems: Annotated[Path, typer.Option(help="list of problem types to write")] = Path("docs/problems.md"),
) -> None:
    """Write the OpenAPI description and the list of problem types, as the repository keeps them."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(orjson.dumps(describe(create_app()), option=options) + b"\n")
    problems.write_text(markdown(), encoding="utf-8")
    typer.echo(f"wrote {to} and {problems}")
