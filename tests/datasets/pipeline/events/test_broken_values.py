"""Values that DuckDB or Arrow refuse do not end a build: their rows are kept aside, and no message or record shows them."""

import json
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets.pipeline.engine.job import CountJob
from datasets.pipeline.engine.kernel import narrow
from datasets.pipeline.events import local_engine
from datasets.pipeline.events.local_engine import LocalEngine, UnsavedProgress
from datasets.pipeline.events.partitions import partitions_for
from datasets.pipeline.events.parts import UnreadableEvents
from tests.datasets.pipeline.events.conftest import HARVEST, SALT, crate
from tests.datasets.pipeline.small_dataset import JUNE

BROKEN = b"\xff\xfeSECRET"
EDGES = (-(2**63), -(2**63) + 1, -(2**63) + 2, -(2**62), 2**62, 2**63 - 2, 2**63 - 1)
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
MOMENT = int(datetime(2026, 6, 5, tzinfo=UTC).timestamp())


def table(rows, **columns):
    every = {name: pa.array([value] * rows) for name, value in crate(1).items()}
    return pa.table({**every, "event_id": pa.array([f"e{n}" for n in range(rows)]), **columns})


@dataclass
class CountedFile:
    kept: int
    reasons: dict
    records: list
    narrow: list


@pytest.fixture
def counted(tmp_path):
    """Write a table to a file and count it as a build does."""

    def run(found, **options):
        root = tmp_path / str(len(list(tmp_path.iterdir())))
        (root / "events").mkdir(parents=True)
        pq.write_table(found, root / "events" / "part-00000.parquet", **options)
        engine = LocalEngine(root / "aside", UnsavedProgress(root / "counting"))
        totals = engine.counted(CountJob(HARVEST, JUNE, {}), SALT, root / "events").totals
        aside = root / "aside" / "events.parquet"
        records = (
            [json.loads(text) for text in pq.read_table(aside)["record"].to_pylist()]
            if aside.exists()
            else []
        )
        with duckdb.connect() as con:
            sql = partitions_for(root / "counting" / "buckets", 0).rows_sql()
            rows = con.execute(f"{sql} ORDER BY ALL").fetchall() if sql else []
        return CountedFile(totals.kept, dict(totals.reasons), records, rows)

    return run


def with_broken(column, kind=pa.string()):
    """Three rows, of which the second has bytes in this column that are no text."""
    good = [str(row[column]).encode() for row in (crate(0), crate(2))]
    values = pa.array([good[0], BROKEN, good[1]], pa.binary())
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int8()), values.view(pa.string()))
    wide = values.cast(pa.large_binary()) if kind == pa.large_string() else values
    return wide.view(kind)


def narrowed(found):
    """The number of rows that fit, and the reasons of the others, if an engine passes the rows as Arrow batches."""
    job = CountJob(HARVEST, JUNE, {})
    with duckdb.connect(config={"threads": 1}) as con:
        batches = list(narrow(con, job, SALT, found.combine_chunks().to_batches()))
    return sum(batch.rows.num_rows for batch in batches), [
        r for batch in batches for r in batch.misfits["reason"].to_pylist()
    ]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.binary(), pa.dictionary(pa.int8(), pa.string())], ids=str
)
@pytest.mark.parametrize(
    "column", ["unit_id", "event_id", "unit_kind", "occurred_at", "plant", "sold", "cents"]
)
def test_text_that_is_not_utf_8_is_kept_aside_by_every_engine(column, kind):
    found = table(3, **{column: with_broken(column, kind)})
    assert narrowed(found) == (2, [f"not UTF-8: {column}"])


@pytest.mark.parametrize("column", ["unit_id", "event_id", "plant"])
@pytest.mark.parametrize("encoding", ["dictionary", "PLAIN", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
def test_a_file_with_text_that_is_not_utf_8_is_read_row_by_row(counted, column, encoding):
    options = (
        {} if encoding == "dictionary" else {"use_dictionary": False, "column_encoding": {column: encoding}}
    )
    found = counted(table(3, **{column: with_broken(column)}), **options)
    assert (found.kept, found.reasons) == (2, {f"not UTF-8: {column}": 1})
    (record,) = found.records
    assert record[column] is None
    assert "SECRET" not in json.dumps(record)


@pytest.mark.parametrize(
    "kind", [pa.binary(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())], ids=str
)
def test_the_arrow_type_of_a_text_does_not_matter(counted, kind):
    found = counted(table(3, unit_id=with_broken("unit_id", kind)))
    assert (found.kept, found.reasons) == (2, {"not UTF-8: unit_id": 1})


KINDS = [
    *(pa.timestamp(unit, tz=zone) for unit in PER_SECOND for zone in (None, "UTC", "+99:99", "Nowhere/City")),
    pa.time64("us"), pa.duration("s"), pa.date64(),
]  # fmt: skip


def moments(kind, *more):
    good = 86_400_000 * (MOMENT // 86_400) if pa.types.is_date(kind) else MOMENT * PER_SECOND[kind.unit]
    return pa.array([good, *more, None], pa.int64()).view(kind)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_time_at_the_edge_of_64_bits_is_kept_aside_whatever_its_type(counted, kind):
    found = table(len(EDGES) + 2, occurred_at=moments(kind, *EDGES))
    fit = int(not pa.types.is_time(kind) and not pa.types.is_duration(kind))
    kept, reasons = narrowed(found)
    assert (kept, len(reasons)) == (fit, len(EDGES) + 2 - fit)
    assert all("occurred_at" in reason for reason in reasons)
    if (
        not pa.types.is_date64(kind) and getattr(kind, "unit", "") != "s"
    ):  # Parquet has no seconds, and days instead of date64
        read = counted(found)
        assert (read.kept, sum(read.reasons.values())) == (fit, len(EDGES) + 2 - fit)


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_a_nanosecond_before_the_month_ends_is_in_the_month(counted, zone):
    """DuckDB would round it up, into the next month."""
    end = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp()) * 10**9
    times = pa.array([end - 1, end], pa.int64()).view(pa.timestamp("ns", tz=zone))
    found = counted(table(2, occurred_at=times))
    assert (found.kept, found.reasons) == (1, {"of a later month: occurred_at": 1})


def test_one_bad_value_changes_nothing_about_the_other_rows(counted):
    """Read carefully or not, the counts are the same."""
    rows = [
        crate(n, plant="apple" if n % 2 else "pear", unit_id=f"u{n % 7}", cents=str(n)) for n in range(60)
    ]
    wrong = [crate(70, plant="turnip"), crate(1)]
    plain = pa.Table.from_pylist([*rows, *wrong])
    broken = with_broken("unit_id").slice(1, 1)
    both = pa.concat_tables([plain, pa.Table.from_pylist([crate(99)]).set_column(1, "unit_id", broken)])
    one, other = counted(plain), counted(both)
    assert other.kept == one.kept == 60
    assert other.reasons == {**one.reasons, "not UTF-8: unit_id": 1}
    assert other.narrow == one.narrow


def test_an_error_of_duckdb_shows_no_value_even_if_it_cannot_be_read_carefully(counted, monkeypatch):
    def refuse(*_):
        raise duckdb.ConversionException("Could not convert string 'SECRET'")

    monkeypatch.setattr(local_engine, "count_partition", refuse)
    with pytest.raises(UnreadableEvents, match="DuckDB refuses them with ConversionException") as caught:
        counted(table(3))
    assert "SECRET" not in "".join(traceback.format_exception(caught.value))
