"""Any CSV or Parquet file, by a mapping file."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets.catalogue import find_dataset
from datasets.pipeline.importers.formats import UnknownFormat, find_format
from datasets.pipeline.importers.sources import UnreadableFile
from datasets.pipeline.importers.table import BadMapping

MAPPING = """
schema = "ad server log, 2026"
unit = "The recipient, by a salted hash of the account number."

[columns]
event_id = "id"
unit_id = "account"
unit_kind = { constant = "person" }
occurred_at = "shown at"
ad_format = { column = "kind", codes = { top = "banner", "" = "unknown" }, otherwise = "other" }
member_state = "country"
clicked = "click"
spend_cents = "price"
"""
ROWS = [
    {"id": "1", "account": "a", "shown at": "2026-06-01T10:00:00Z", "kind": "top", "country": "DE", "click": "true", "price": "3"},
    {"id": "2", "account": "b", "shown at": "2026-06-02 11:00", "kind": "", "country": "FR", "click": "0", "price": "-1"},
    {"id": "3", "account": "b", "shown at": "2026-06-02", "kind": "side", "country": "XX", "click": "0", "price": "1"},
]  # fmt: skip


@pytest.fixture
def mapping(tmp_path):
    def write(text=MAPPING):
        path = tmp_path / "mapping.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def table(imported, tmp_path, mapping):
    def read(path, text=MAPPING):
        return imported(path, "ads", "table", "2026-06", mapping(text))

    return read


def as_csv(path, delimiter=",", encoding="utf-8"):
    lines = [list(ROWS[0]), *(list(row.values()) for row in ROWS)]
    path.write_text("\n".join(delimiter.join(line) for line in lines), encoding=encoding)
    return path


def check(made):
    assert [(r["ad_format"], r["member_state"], r["clicked"], r["spend_cents"]) for r in made.events] == [
        ("banner", "DE", True, 3), ("unknown", "FR", False, -1)
    ]  # fmt: skip
    assert [(bad["row"], bad["reason"]) for bad in made.quarantine] == [(3, "unknown code: member_state")]
    assert made.events[0]["device"] == "unknown"
    assert made.source.schema_name == "ad server log, 2026"
    assert "device" in made.source.not_collected
    assert "ad_format" not in made.source.not_collected


def test_a_csv_is_read_by_its_mapping(table, tmp_path):
    check(table(as_csv(tmp_path / "log.csv")))


def test_another_delimiter_and_encoding_can_be_named(table, tmp_path):
    path = as_csv(tmp_path / "log.csv", ";", "utf-16")
    check(table(path, 'delimiter = ";"\nencoding = "utf-16"\n' + MAPPING))


def test_parquet_keeps_its_types(table, tmp_path):
    columns: dict[str, object] = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    columns["shown at"] = pa.array([datetime(2026, 6, day, 10, tzinfo=UTC) for day in (1, 2, 2)])
    columns["click"], columns["price"], columns["id"] = [True, False, False], [3.0, -1.0, 1.0], [1, 2, 3]
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table(columns), path)
    check(table(path))


def test_source_columns_may_have_any_name(imported, tmp_path, mapping):
    path = tmp_path / "log.csv"
    path.write_text('"@row","@reason",record,"it\'s ""a"" date"\n1,u,x,2026-06-01\n')
    text = """
schema = "odd names"
unit = "somebody"
[columns]
event_id = "@row"
unit_id = "@reason"
unit_kind = { constant = "organisation" }
occurred_at = 'it''s "a" date'
""".replace("'it''s \"a\" date'", '"it\'s \\"a\\" date"')
    (row,) = imported(path, "ads", "table", "2026-06", mapping(text)).events
    assert (row["event_id"], row["unit_id"], row["unit_kind"]) == ("1", "u", "organisation")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('event_id = "id"\n', "", "does not map 'event_id'; add it under"),
        ("ad_format =", "ad_fromat =", "'ad_fromat', which is not a column of ads.*Did you mean ad_format"),
        ('"banner"', '"baner"', "ad_format the code 'baner'.*Did you mean banner"),
        ('constant = "person"', 'constant = "human"', "unit_kind the code 'human'"),
        ("codes = {", "code = {", "malformed at columns.ad_format"),
        ("schema =", "schemas =", "malformed at schema"),
        ("[columns]", "[columns", "is not TOML"),
    ],
)
def test_a_wrong_mapping_is_refused_before_a_row_is_read(mapping, old, new, words):
    assert old in MAPPING
    with pytest.raises(BadMapping, match=words) as caught:
        find_format("table", find_dataset("ads"), mapping(MAPPING.replace(old, new)))
    assert "\n" not in str(caught.value)


def test_a_file_without_a_mapped_column_is_refused(table, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("id,acount,shown at,kind,country,click,price\n1,a,2026-06-01,top,DE,1,1\n")
    with pytest.raises(UnreadableFile, match="no column 'account'.*Did you mean acount"):
        table(path)


def test_a_truncated_parquet_is_refused(table, tmp_path):
    path = tmp_path / "log.parquet"
    pq.write_table(pa.table({name: [row[name] for row in ROWS] for name in ROWS[0]}), path)
    whole = path.read_bytes()
    for cut in range(0, len(whole), len(whole) // 10):
        path.write_bytes(whole[:cut])
        with pytest.raises(UnreadableFile, match="is not a Parquet file"):
            table(path)
    assert not (tmp_path / "events" / "ads" / "2026-06").exists()


def test_formats_and_mappings_belong_together(mapping):
    ads = find_dataset("ads")
    with pytest.raises(BadMapping, match="needs --mapping"):
        find_format("table", ads)
    with pytest.raises(BadMapping, match="takes no --mapping"):
        find_format("open-bandit", ads, mapping())
    with pytest.raises(UnknownFormat, match="Did you mean open-bandit"):
        find_format("openbandit", ads)
    with pytest.raises(BadMapping, match="cannot be read"):
        find_format("table", ads, mapping().with_name("missing.toml"))
