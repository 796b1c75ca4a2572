"""The lower bound: DuckDB and orjson in a bare ASGI application, without tokens, rate limits, parsing or intervals."""

from __future__ import annotations

import sys
from typing import Any

import duckdb
import orjson
import uvicorn

SQL = {
    "/category": "SELECT category, actions, actions_se FROM cells WHERE cuboid = 'category'",
    "/long": "SELECT category, member_state, day, actions, actions_se FROM cells "
    "WHERE cuboid = 'category,member_state,day'",
}


def main(cells: str, port: str) -> None:
    con = duckdb.connect(config={"threads": 1})
    con.execute(f"CREATE TABLE cells AS FROM '{cells}'")

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        cursor = con.execute(SQL[scope["path"]])
        names = [column[0] for column in cursor.description]
        body = orjson.dumps([dict(zip(names, row, strict=True)) for row in cursor.fetchall()])
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-length", b"%d" % len(body))],
            }
        )
        await send({"type": "http.response.body", "body": body})

    uvicorn.run(app, port=int(port), lifespan="off", log_level="error", http="httptools")


if __name__ == "__main__":
    main(*sys.argv[1:])
