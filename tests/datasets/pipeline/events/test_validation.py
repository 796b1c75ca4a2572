"""What fits is counted, what does not is kept aside with the reason; nothing is guessed, and nothing is lost."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets.pipeline.engine.columns import MAX_VALUE
from datasets.pipeline.events.layout import NoEvents
from datasets.pipeline.events.parts import MissingColumn, UnreadableEvents
from datasets.pipeline.events.source import UnreadableSource, read_source
from tests.datasets.pipeline.events.conftest import HARVEST, crate

FITS = [
    ("occurred_at", "2026-06-30T23:59:59.999999Z"),
    ("occurred_at", "2026-07-01T01:30:00+02:00"),
    ("occurred_at", "2026-06-01"),
    ("sold", "0"),
    ("sold", "FALSE"),
    ("cents", "-3"),
    ("cents", "170.0"),
    ("cents", "1e3"),
    ("sold", "1.0"),
    ("occurred_at", "2026-06-05T10:00:00+14:00"),
    ("unit_kind", "organisation"),
    ("plant", "unknown"),
]
DOES_NOT = [
    ("event_id", None, "null id: event_id"),
    ("unit_id", "  ", "null id: unit_id"),
    ("unit_id", "x" * 501, "over-long id: unit_id"),
    ("unit_kind", "robot", "bad unit_kind: neither person nor organisation"),
    ("occurred_at", "2026-07-01 00:00:00", "of a later month: occurred_at"),
    ("occurred_at", "2026-05-31T23:59:59Z", "late, of an earlier month: occurred_at"),
    ("occurred_at", "2026-06-01T01:00:00+02:00", "late, of an earlier month: occurred_at"),
    ("occurred_at", "in June", "wrong type: occurred_at is no time"),
    ("occurred_at", "2026-06-31", "wrong type: occurred_at is no time"),
    ("plant", "turnip", "unknown code: plant"),
    ("plant", "APPLE", "unknown code: plant"),
    ("plant", None, "unknown code: plant"),
    ("plant", "it's; DROP TABLE", "unknown code: plant"),
    ("sold", "yes", "wrong type: sold is neither true nor false"),
    ("cents", "12.7", "wrong type: cents is no whole number"),
    ("cents", "1.2345e3", "wrong type: cents is no whole number"),
    ("sold", "1.5", "wrong type: sold is neither true nor false"),
    ("occurred_at", "2026-06-05T10:00:00+99:99", "wrong type: occurred_at is no time"),
    ("occurred_at", "2026-06-05T10:00:00-15:00", "wrong type: occurred_at is no time"),
    ("occurred_at", "2026-06-05T10:00:00+01:60", "wrong type: occurred_at is no time"),
    ("cents", str(MAX_VALUE + 1), "out of range: cents"),
]


@pytest.mark.parametrize(("column", "value"), FITS)
def test_what_says_the_same_in_another_way_fits(check, column, value):
    assert check([crate(1), crate(2, **{column: value})]).totals["kept"] == 2


@pytest.mark.parametrize(("column", "value", "reason"), DOES_NOT)
def test_what_does_not_fit_is_kept_aside_with_its_reason_and_its_record(check, column, value, reason):
    found = check([crate(1), crate(2, **{column: value})])
    assert [row["event_id"] for row in found.valid] == ["e1"]
    (bad,) = found.bad
    assert (bad["reason"], bad["file"], bad["row"]) == (reason, "part-00000.parquet", 2)
    assert json.loads(bad["record"])[column] == value
    assert found.totals == {"read": 2, "kept": 1, "quarantined": 1, "reasons": {reason: 1}}


def test_typed_columns_are_read_as_they_are(check):
    rows = {
        "event_id": [1, 2], "unit_id": [7, 7], "unit_kind": ["person"] * 2, "plant": ["apple", "pear"], "state": ["DE", "FR"],
        "occurred_at": [datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)],
        "sold": [1, 0], "cents": [3.0, 4.5],
    }  # fmt: skip
    found = check(pa.table(rows))
    assert [(row["event_id"], row["sold"], row["cents"]) for row in found.valid] == [("1", True, 3)]
    assert found.bad[0]["reason"] == "wrong type: cents is no whole number"


@pytest.mark.parametrize(
    "kind", [pa.timestamp("ns", tz="UTC"), pa.timestamp("us", tz="UTC"), pa.timestamp("ns")], ids=str
)
def test_times_of_any_precision_are_read(check, kind):
    """pandas writes nanoseconds."""
    last = datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC if kind.tz else None)
    rows = {name: pa.array([value]) for name, value in crate(1).items()}
    found = check(pa.table({**rows, "occurred_at": pa.array([last], kind)}))
    assert [row["event_id"] for row in found.valid] == ["e1"]


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_a_time_that_is_no_date_is_kept_aside_and_does_not_end_the_build(check, zone, tmp_path):
    check([crate(1), crate(2)])
    rows = {name: pa.array([value, value]) for name, value in crate(1).items()} | {
        "event_id": pa.array(["e1", "e2"])
    }
    june = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp()) * 10**6
    for wrong in (-(2**63) + 1, -(2**63) + 2, 2**63 - 2):
        moments = pa.array([june, wrong], pa.int64()).cast(pa.timestamp("us", tz=zone))
        pq.write_table(pa.table({**rows, "occurred_at": moments}), tmp_path / "events" / "part-00000.parquet")
        found = check([crate(1), crate(2)], write=False)
        assert [row["event_id"] for row in found.valid] == ["e1"]
        assert ["occurred_at" in row["reason"] for row in found.bad] == [True]


def test_a_repeated_event_of_a_unit_counts_once_whatever_the_order_of_files(check):
    late, early = crate(1, occurred_at="2026-06-09"), crate(1, occurred_at="2026-06-02", plant="pear")
    one = check([late, crate(2)], [early])
    two = check([early], [crate(2), late])
    assert one.valid == two.valid
    assert [row["plant"] for row in one.valid] == ["pear", "apple"]
    assert one.totals["reasons"] == {"duplicate id: event_id": 1}


def test_another_units_event_with_the_same_id_moves_nobodys_rows(check):
    """Were it otherwise, one unit could push out any number of another's rows."""
    alone = check([crate(n) for n in range(1, 6)]).valid
    copied = [crate(n, unit_id="u2", occurred_at="2026-06-01") for n in range(1, 6)]
    both = check([crate(n) for n in range(1, 6)], copied)
    assert [row for row in both.valid if row["unit_id"] == "u1"] == alone


def test_files_of_different_types_are_read_together(check):
    typed = pa.table({name: pa.array([value]) for name, value in crate(2, cents=7, sold=True).items()})
    assert check([crate(1)], typed).totals["kept"] == 2


def test_columns_that_are_not_declared_are_ignored_with_a_remark(check):
    found = check([crate(1, colour="red")])
    assert found.totals["kept"] == 1
    assert found.remarks == ["ignored columns that the declaration does not have: colour"]


def test_a_missing_column_names_the_file_the_column_and_the_nearest(check):
    row = crate(1)
    row["palnt"] = row.pop("plant")
    with pytest.raises(MissingColumn, match="part-00000.parquet has no column 'plant'.*Did you mean palnt"):
        check([row])


def test_a_truncated_or_mislabelled_file_is_refused_by_name(check, tmp_path):
    check([crate(n) for n in range(1, 50)])
    path = tmp_path / "events" / "part-00000.parquet"
    whole = path.read_bytes()
    for cut in (0, 4, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(UnreadableEvents, match="part-00000.parquet is not a Parquet file"):
            check(write=False)
    path.write_text("event_id,unit_id\n1,2\n")
    with pytest.raises(UnreadableEvents, match="raw events are Parquet files"):
        check(write=False)


def test_links_and_folders_are_not_followed(check, tmp_path):
    check([crate(1)])
    (tmp_path / "events" / "part-00001.parquet").symlink_to(tmp_path / "events" / "part-00000.parquet")
    with pytest.raises(NoEvents, match="not a regular file"):
        check(write=False)


def test_a_month_without_its_source_is_refused(check, tmp_path):
    check([crate(1)])
    for text in (
        None,
        "{",
        '{"format": "table"}',
        '{"format": "table", "schema": "s", "unit": "u", "not_collected": ["sate"]}',
    ):
        path = tmp_path / "events" / "source.json"
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        with pytest.raises(UnreadableSource):
            read_source(tmp_path / "events", HARVEST)
