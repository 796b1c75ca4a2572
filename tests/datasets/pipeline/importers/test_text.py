"""Text that is not UTF-8, and numbers in any spelling: read row by row, from every format alike."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets.pipeline.importers.sources import UnreadableFile

MAPPING = """
schema = "display ad log"
unit = "The recipient."
[columns]
event_id = "id"
unit_id = "user"
unit_kind = { constant = "person" }
occurred_at = "t"
clicked = "click"
spend_cents = "spend"
device = { column = "on", codes = { "téléphone" = "app_ios", "" = "unknown" }, otherwise = "other" }
"""
NAMES = ("id", "user", "t", "click", "spend", "on", "note")
GOOD = (b"1", b"ann", b"2025-07-15", b"1", b"5", "téléphone".encode(), b"fine")
BROKEN = b"\xff\xfeSECRET"


def row(number, **changes):
    changed = {name: value if isinstance(value, bytes) else value.encode() for name, value in changes.items()}
    return tuple((dict(zip(NAMES, GOOD, strict=True)) | {"id": str(number).encode()} | changed).values())


def as_csv(path, rows):
    lines = [",".join(NAMES).encode(), *(b",".join(each) for each in rows)]
    path.with_suffix(".csv").write_bytes(b"\n".join(lines) + b"\n")
    return path.with_suffix(".csv")


def as_parquet(path, rows, kind=None):
    columns = [pa.array(values, pa.binary()) for values in zip(*rows, strict=True)]
    table = pa.table([column if kind == "bytes" else column.view(pa.string()) for column in columns], NAMES)
    if kind == "dictionary":
        place = NAMES.index("on")
        table = table.set_column(place, "on", coded(columns[place]))
    pq.write_table(table, path.with_suffix(".parquet"))
    return path.with_suffix(".parquet")


def coded(column):
    codes = column.dictionary_encode()
    return pa.DictionaryArray.from_arrays(codes.indices, codes.dictionary.view(pa.string()))


FORMATS = {
    "csv": as_csv,
    "parquet": as_parquet,
    "bytes": lambda path, rows: as_parquet(path, rows, "bytes"),
    "dictionary": lambda path, rows: as_parquet(path, rows, "dictionary"),
}


@pytest.fixture(params=FORMATS)
def read(request, imported, tmp_path):
    """Import rows of bytes from each format."""
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(MAPPING)

    def run(*rows):
        path = FORMATS[request.param](tmp_path / "log", rows)
        return imported(path, "ads", "table", "2025-07", mapping)

    return run


@pytest.mark.parametrize("column", ["user", "id", "on", "t", "click", "spend"])
def test_a_row_whose_text_is_not_utf_8_is_kept_aside_and_its_bytes_are_not_shown(read, column):
    made = read(row(1), row(2, **{column: BROKEN}), row(3))
    assert [(each["event_id"], each["device"]) for each in made.events] == [
        ("1", "app_ios"),
        ("3", "app_ios"),
    ]
    (bad,) = made.quarantine
    assert (bad["reason"], bad["row"]) == (f"not UTF-8: {column}", 2)
    assert json.loads(bad["record"])[column] is None
    assert json.loads(bad["record"])["note"] == "fine"
    assert "SECRET" not in bad["record"]


def test_text_that_the_mapping_does_not_read_may_be_anything(read):
    made = read(row(1), row(2, note=BROKEN), row(3, note=BROKEN, user=" "))
    assert [each["event_id"] for each in made.events] == ["1", "2"]
    assert "SECRET" not in made.quarantine[0]["record"]


@pytest.mark.parametrize("spelling", ["170", "170.0", "+170", "170.", "0170", "1.7e2", "1.70E+02"])
def test_a_whole_number_is_an_integer_however_it_is_written(read, spelling):
    assert [each["spend_cents"] for each in read(row(1, spend=spelling)).events] == [170]


@pytest.mark.parametrize(
    "spelling", ["170.5", "1.705e2", "170,0", "0x10", "1_000", "ten", "", "NaN", "1e999", "170.00001"]
)
def test_what_is_no_whole_number_is_kept_aside(read, spelling):
    if spelling == "170,0":
        spelling = "170;0"
    made = read(row(1), row(2, spend=spelling))
    assert [bad["reason"] for bad in made.quarantine] == ["wrong type: spend_cents is no whole number"]


@pytest.mark.parametrize(
    ("spelling", "flag"),
    [("0", False), ("0.0", False), ("-0", False), ("0e0", False), ("1", True), ("1.0", True), ("+1", True), ("01", True)],
)  # fmt: skip
def test_0_and_1_are_flags_however_they_are_written(read, spelling, flag):
    assert [each["clicked"] for each in read(row(1, click=spelling)).events] == [flag]


@pytest.mark.parametrize("spelling", ["2", "0.5", "yes", ""])
def test_nothing_else_is_a_flag(read, spelling):
    made = read(row(1), row(2, click=spelling))
    assert [bad["reason"] for bad in made.quarantine] == ["wrong type: clicked is neither true nor false"]


@pytest.mark.parametrize(
    "kind", [pa.float64(), pa.float32(), pa.decimal128(21, 2), pa.int8(), pa.uint64()], ids=str
)
def test_numbers_of_any_type_are_read_alike(imported, tmp_path, kind):
    columns = {name: [value.decode()] * 2 for name, value in zip(NAMES, GOOD, strict=True)} | {
        "id": ["1", "2"]
    }
    numbers = {"click": pa.array([0, 1]).cast(kind), "spend": pa.array([7, 17]).cast(kind)}
    pq.write_table(pa.table({**columns, **numbers}), tmp_path / "log.parquet")
    (tmp_path / "mapping.toml").write_text(MAPPING)
    made = imported(tmp_path / "log.parquet", "ads", "table", "2025-07", tmp_path / "mapping.toml")
    assert [(each["clicked"], each["spend_cents"]) for each in made.events] == [(False, 7), (True, 17)]


def test_a_row_of_another_length_that_is_not_utf_8_is_kept_aside(imported, tmp_path):
    path = as_csv(tmp_path / "log", [row(1), (*row(2, user=BROKEN), b"more")])
    (tmp_path / "mapping.toml").write_text(MAPPING)
    made = imported(path, "ads", "table", "2025-07", tmp_path / "mapping.toml")
    assert [bad["reason"] for bad in made.quarantine] == ["wrong number of fields"]
    assert "SECRET" not in made.quarantine[0]["record"]


def test_other_encodings_are_read_row_by_row_too_except_utf_16(imported, tmp_path):
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('encoding = "cp1252"\n' + MAPPING)
    as_1252 = [tuple(value.decode().encode("cp1252") for value in row(n)) for n in (1, 2)]
    path = as_csv(tmp_path / "log", [as_1252[0], (as_1252[1][0], b"a\x81nn", *as_1252[1][2:])])
    made = imported(path, "ads", "table", "2025-07", mapping)
    assert [each["device"] for each in made.events] == ["app_ios"]
    assert [bad["reason"] for bad in made.quarantine] == ["not UTF-8: user"]
    mapping.write_text('encoding = "utf-16"\n' + MAPPING)
    with pytest.raises(UnreadableFile, match="is not UTF-16 text"):
        imported(path, "ads", "table", "2025-07", mapping, replace=True)
