"""Files of a release: the bytes that were signed, whole or by ranges, for a token with the scope of the dataset."""

import hashlib
import io

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.api.conftest import ensure_problem

FILE = "/v1/releases/moderation/2026-06.1/files/cells.parquet"


@pytest.fixture(scope="module")
def whole(deployment):
    return (deployment.releases / "moderation" / "2026-06.1" / "cells.parquet").read_bytes()


def test_a_file_has_the_size_and_the_hash_in_the_manifest(client, whole):
    answer = client.get(FILE)
    manifest = client.get("/v1/releases/moderation/2026-06.1").json()
    (entry,) = [entry for entry in manifest["files"] if entry["name"] == "cells.parquet"]
    assert answer.status_code == 200
    assert answer.content == whole
    assert hashlib.sha256(answer.content).hexdigest() == entry["sha256"]
    assert answer.headers["etag"] == f'"{entry["sha256"]}"'
    assert int(answer.headers["content-length"]) == entry["bytes"] == len(whole)
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"


SINGLE = [
    ("bytes=0-0", 0, 1),
    ("bytes=0-99", 0, 100),
    ("bytes=100-199", 100, 200),
    ("bytes=5-", 5, None),
    ("bytes=0-", 0, None),
    ("bytes=-1", -1, None),
    ("bytes=-8", -8, None),
    ("bytes=-65536", -65536, None),
    ("bytes=-999999999", 0, None),
    ("bytes=10-999999999999", 10, None),
    ("bytes=0-999999999999999999", 0, None),
    ("BYTES=3-4", 3, 5),
    ("bytes= 3-4", 3, 5),
    ("bytes=3-4 ", 3, 5),
    ("bytes=3-4,", 3, 5),
    ("bytes=0-0,999999999-", 0, 1),
]


@pytest.mark.parametrize(("requested", "first", "last"), SINGLE)
def test_a_range_is_served_exactly(client, whole, requested, first, last):
    answer = client.get(FILE, headers={"Range": requested})
    expected = whole[first:last]
    start = len(whole) - len(expected) if first < 0 else first
    assert answer.status_code == 206
    assert answer.content == expected
    assert int(answer.headers["content-length"]) == len(expected)
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(expected) - 1}/{len(whole)}"
    assert answer.headers["etag"]


@pytest.mark.parametrize(
    "requested",
    ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=1-2-3", "bytes=0-1;2-3", "items=0-5", "bytes=0x1-2",
     "bytes=--5", "bytes=٠-١".encode(), "bytes=" + ",".join(f"{n}-{n}" for n in range(100)), "bytes=0-1,x-y", "0-5"],
    ids=str,
)  # fmt: skip
def test_a_malformed_range_is_ignored(client, whole, requested):
    answer = client.get(FILE, headers={"Range": requested})
    assert (answer.status_code, len(answer.content)) == (200, len(whole))


@pytest.mark.parametrize(
    "requested", ["bytes=999999999-", "bytes=999999999-1000000000", "bytes=-0", "bytes=999999999-,-0"]
)
def test_a_range_beyond_the_end_is_refused_with_the_length(client, whole, requested):
    answer = client.get(FILE, headers={"Range": requested})
    ensure_problem(answer, 416, "range-not-satisfiable")
    assert answer.headers["content-range"] == f"bytes */{len(whole)}"


def test_several_ranges_are_answered_as_multipart(client, whole):
    answer = client.get(FILE, headers={"Range": "bytes=0-3,100-119,-4"})
    assert answer.status_code == 206
    kind, _, boundary = answer.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/byteranges"
    parts = answer.content.split(b"--" + boundary.encode())[1:-1]
    bodies = [part.partition(b"\r\n\r\n")[2][:-2] for part in parts]
    assert bodies == [whole[:4], whole[100:120], whole[-4:]]
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_if_range_serves_a_part_if_the_file_is_unchanged_and_all_of_it_otherwise(client, whole):
    first = client.get(FILE)
    for validator in (first.headers["etag"], first.headers["last-modified"]):
        assert client.get(FILE, headers={"Range": "bytes=0-9", "If-Range": validator}).status_code == 206
    for validator in ('"other"', f"W/{first.headers['etag']}", "Mon, 01 Jan 2001 00:00:00 GMT", "nonsense"):
        answer = client.get(FILE, headers={"Range": "bytes=0-9", "If-Range": validator})
        assert (answer.status_code, len(answer.content)) == (200, len(whole))
        beyond = client.get(FILE, headers={"Range": "bytes=999999999-", "If-Range": validator})
        assert beyond.status_code == 200


def test_if_none_match_of_the_current_file_is_answered_with_304_also_with_a_range(client):
    etag = client.get(FILE).headers["etag"]
    for more in ({}, {"Range": "bytes=0-9"}):
        answer = client.get(FILE, headers={"If-None-Match": etag, **more})
        assert (answer.status_code, answer.content) == (304, b"")


def test_head_has_the_length_and_ignores_ranges(client, whole):
    for headers in ({}, {"Range": "bytes=0-9"}):
        answer = client.head(FILE, headers=headers)
        assert (answer.status_code, answer.content) == (200, b"")
        assert int(answer.headers["content-length"]) == len(whole)
        assert "content-range" not in answer.headers


def test_files_need_a_token_with_the_scope(deployment, anonymous):
    ensure_problem(anonymous.get(FILE), 401)
    text = deployment.token(scopes=frozenset({"ads:read"}))
    ensure_problem(anonymous.get(FILE, headers={"Authorization": f"Bearer {text}"}), 403)


@pytest.mark.parametrize(
    "name", ["cell.parquet", "manifest.jws", "..%2f2026-05.1%2fcells.parquet", "%2e%2e", "cells.parquet%00"]
)
def test_only_files_that_the_manifest_names_are_served(client, name):
    answer = client.get(f"/v1/releases/moderation/2026-06.1/files/{name}")
    ensure_problem(answer, 404)


def test_the_parquet_file_can_be_read_by_arrow_and_duckdb(client):
    table = pq.read_table(io.BytesIO(client.get(FILE).content))
    assert table.column_names[0] == "cuboid"
    with duckdb.connect() as con:
        con.register("cells", table)
        (total,) = con.sql("SELECT actions FROM cells WHERE cuboid = 'total'").fetchall()[0]
    assert total == pytest.approx(
        client.get("/v1/datasets/moderation/aggregates?measure=actions").json()["data"][0]["actions"]
    )
