"""The same answer in five formats: same columns, same values, same types, read by the libraries people use."""

import io
import json

import duckdb
import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tests.api.conftest import AGGREGATES

QUESTIONS = [
    {"measure": "actions,accounts", "group_by": "category,automated_detection", "period": "2026-06"},
    {"measure": "accounts", "freq": "day", "period": "2026-06-01..2026-06-10", "member_state": "DE"},
    {"measure": "actions", "freq": "month", "period": "2026-05..2026-06"},
    {"measure": "actions"},
]
MEDIA = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}


@pytest.fixture(params=range(len(QUESTIONS)))
def answers(client, request):
    question = QUESTIONS[request.param]
    return {name: client.get(AGGREGATES, params={**question, "format": name}) for name in MEDIA}


def rows(name, answer):
    """The rows of an answer as a library reads them."""
    content = answer.content
    match name:
        case "json":
            return answer.json()["data"]
        case "ndjson":
            return [json.loads(line) for line in content.splitlines()]
        case "csv":
            types = {column: pa.string() for column in content.split(b"\r\n")[0].decode().split(",")}
            numbers = ("_se", "_lo", "_hi", "actions", "accounts")
            types |= {column: pa.float64() for column in types if column.endswith(numbers)}
            read = pyarrow.csv.read_csv(
                io.BytesIO(content), convert_options=pyarrow.csv.ConvertOptions(column_types=types)
            )
            return read.to_pylist()
        case "parquet":
            return pq.read_table(io.BytesIO(content)).to_pylist()
        case "arrow":
            return pa.ipc.open_stream(content).read_all().to_pylist()


def test_every_format_holds_the_same_rows(answers):
    first = answers["json"].json()["data"]
    assert first
    for name, answer in answers.items():
        read = rows(name, answer)
        if name in {"parquet", "arrow"}:
            read = [{**row, "period": str(row["period"])} for row in read]
        assert read == first, name


def test_every_format_has_its_media_type_and_can_be_chosen_by_accept(client, answers):
    question = dict(answers["json"].request.url.params)
    question.pop("format")
    for name, media in MEDIA.items():
        assert answers[name].headers["content-type"].split(";")[0] == media
        accepted = client.get(AGGREGATES, params=question, headers={"Accept": media})
        assert accepted.content == answers[name].content


def test_days_are_dates_and_numbers_are_doubles(client):
    question = {**QUESTIONS[1], "format": "parquet"}
    schema = pq.read_schema(io.BytesIO(client.get(AGGREGATES, params=question).content))
    assert schema.field("period").type == pa.date32()
    assert schema.field("accounts_se").type == pa.float64()
    columns = client.get(AGGREGATES, params=QUESTIONS[1]).json()["columns"]
    assert columns[0] == {"name": "period", "type": "date"}


def test_parquet_and_arrow_carry_the_metadata_of_the_answer(answers):
    meta = answers["json"].json()
    for name in ("parquet", "arrow"):
        read = io.BytesIO(answers[name].content)
        schema = pq.read_schema(read) if name == "parquet" else pa.ipc.open_stream(read).schema
        assert orjson.loads(schema.metadata[b"daylight"])["query_id"] == meta["query_id"]
        assert orjson.loads(schema.metadata[b"daylight"])["uncertainty"] == meta["uncertainty"]


def test_duckdb_reads_the_parquet_and_the_csv(answers, tmp_path):
    for name in ("parquet", "csv"):
        (tmp_path / f"answer.{name}").write_bytes(answers[name].content)
    with duckdb.connect() as con:
        numbers = {
            con.sql(f"SELECT count(*) FROM '{tmp_path / name}'").fetchall()[0][0]
            for name in ("answer.parquet", "answer.csv")
        }
    assert numbers == {len(answers["json"].json()["data"])}


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/json"),
        ("text/*", "text/csv"),
        ("application/json;q=0.1, text/csv", "text/csv"),
        ("text/csv;q=0.5, application/x-ndjson;q=0.7, */*;q=0.1", "application/x-ndjson"),
        ("text/html, application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.stream"),
        ("application/json;q=0, text/csv", "text/csv"),
        ("TEXT/CSV", "text/csv"),
    ],
)
def test_accept_is_followed_by_preference(client, accept, media):
    answer = client.get(AGGREGATES, params={"measure": "actions"}, headers={"Accept": accept})
    assert answer.headers["content-type"].split(";")[0] == media
