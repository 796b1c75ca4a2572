"""pandas, polars, DuckDB, PyArrow and fsspec read answers and released files over a real connection, with a bearer token."""

import io
import urllib.request
from datetime import date

import duckdb
import fsspec
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
import pytest

from tests.live import running_server

QUESTION = "/v1/datasets/moderation/aggregates?measure=actions&ratio=actions/accounts&group_by=category&freq=day&period=2026-06"
CELLS = "/v1/releases/moderation/2026-06.1/files/cells.parquet"


@pytest.fixture(scope="module")
def server(deployment):
    with running_server(deployment) as address:
        yield address


@pytest.fixture(scope="module")
def bearer(deployment):
    return {"Authorization": f"Bearer {deployment.token()}"}


@pytest.fixture(scope="module")
def fetch(server, bearer):
    def get(path, **fields):
        return urllib.request.urlopen(urllib.request.Request(server + path, headers={**bearer, **fields}))

    return get


@pytest.fixture(scope="module")
def rows(fetch):
    """The rows of the answer, from which those that the other libraries read must not differ."""
    return pa.ipc.open_stream(fetch(f"{QUESTION}&format=arrow").read()).read_all()


def test_pandas_reads_parquet_from_the_address(server, bearer, rows):
    frame = pd.read_parquet(f"{server}{QUESTION}&format=parquet", storage_options=bearer)
    assert list(frame.columns) == rows.column_names
    assert len(frame) == rows.num_rows > 300
    assert frame["period"].iloc[0] == date(2026, 6, 1)
    assert frame["actions"].tolist() == rows["actions"].to_pylist()


def test_pandas_reads_csv_and_ndjson(server, bearer, rows):
    for frame in (
        pd.read_csv(f"{server}{QUESTION}&format=csv", storage_options=bearer),
        pd.read_json(f"{server}{QUESTION}&format=ndjson", lines=True, storage_options=bearer, dtype=False),
    ):
        assert frame["actions"].tolist() == pytest.approx(rows["actions"].to_pylist(), rel=1e-15)
        assert frame["actions_per_accounts"].isna().tolist() == [
            v is None for v in rows["actions_per_accounts"].to_pylist()
        ]


def test_polars_reads_csv_and_arrow(fetch, rows):
    table = pl.read_csv(fetch(f"{QUESTION}&format=csv").read(), try_parse_dates=True)
    assert table.schema["period"] == pl.Date
    assert table["actions"].to_list() == rows["actions"].to_pylist()
    stream = pl.read_ipc_stream(io.BytesIO(fetch(f"{QUESTION}&format=arrow").read()))
    expected = pl.from_arrow(rows)
    assert isinstance(expected, pl.DataFrame)
    assert stream.equals(expected)


def test_duckdb_reads_a_downloaded_parquet_answer(fetch, rows, tmp_path):
    path = tmp_path / "answer.parquet"
    path.write_bytes(fetch(f"{QUESTION}&format=parquet").read())
    with duckdb.connect() as con:
        ((number, total),) = con.execute(
            "SELECT count(*), sum(actions) FROM read_parquet(?)", [str(path)]
        ).fetchall()
    assert number == rows.num_rows
    assert total == pytest.approx(sum(rows["actions"].to_pylist()))


def test_fsspec_and_pyarrow_read_one_cuboid_by_ranges(server, bearer, deployment):
    whole = pq.read_table(deployment.releases / "moderation" / "2026-06.1" / "cells.parquet")
    fs = fsspec.filesystem("http", client_kwargs={"headers": bearer})
    with fs.open(server + CELLS, block_size=2**16, cache_type="none") as file:
        assert (
            file.size == (deployment.releases / "moderation" / "2026-06.1" / "cells.parquet").stat().st_size
        )
        found = pq.ParquetFile(file)
        groups = range(found.metadata.num_row_groups)
        column = found.schema_arrow.names.index("cuboid")
        wanted = [
            g for g in groups if found.metadata.row_group(g).column(column).statistics.min == "category"
        ]
        table = found.read_row_groups(wanted, columns=["cuboid", "category", "actions"])
    part = whole.select(["cuboid", "category", "actions"])
    assert [r for r in table.to_pylist() if r["cuboid"] == "category"] == [
        r for r in part.to_pylist() if r["cuboid"] == "category"
    ]


def test_pyarrow_reads_a_released_file_through_fsspecs_file_system(server, bearer, deployment):
    fs = pyarrow.fs.PyFileSystem(
        pyarrow.fs.FSSpecHandler(fsspec.filesystem("http", client_kwargs={"headers": bearer}))
    )
    found = pq.read_table(server + CELLS, filesystem=fs, columns=["cuboid", "actions"])
    assert found.equals(
        pq.read_table(
            deployment.releases / "moderation" / "2026-06.1" / "cells.parquet", columns=["cuboid", "actions"]
        )
    )


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_an_answer_is_compressed_if_the_client_accepts_it(fetch, encoding):
    plain = fetch(f"{QUESTION}&format=csv")
    packed = fetch(f"{QUESTION}&format=csv", **{"Accept-Encoding": encoding})
    assert packed.headers["Content-Encoding"] == encoding
    body = packed.read()
    assert pa.input_stream(pa.BufferReader(body), compression=encoding).read() == plain.read()
    assert packed.headers["ETag"] != plain.headers["ETag"]


def test_an_answer_of_many_rows_is_streamed_and_complete(fetch, rows):
    path = "/v1/datasets/moderation/aggregates?measure=actions&group_by=category,member_state&freq=day&period=2026-06"
    parts = {format_: fetch(f"{path}&format={format_}") for format_ in ("csv", "arrow", "parquet")}
    assert parts["csv"].headers["Transfer-Encoding"] == "chunked"
    table = pa.ipc.open_stream(parts["arrow"].read()).read_all()
    assert table.num_rows > 10_000
    assert pq.read_table(io.BytesIO(parts["parquet"].read())).equals(table)
    lines = pl.read_csv(parts["csv"].read(), try_parse_dates=True)
    assert lines["actions"].to_list() == table["actions"].to_pylist()
