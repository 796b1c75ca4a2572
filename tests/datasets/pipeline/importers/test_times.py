"""Times of any format that a mapping names, in any zone; without a format, the refusal proposes the one that fits."""

import re
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets.pipeline.importers.importing import NothingFits
from datasets.pipeline.importers.table import BadMapping

MAPPING = """
schema = "display ad log"
unit = "The recipient."
[columns]
event_id = "id"
unit_id = "user"
unit_kind = { constant = "person" }
occurred_at = OCCURRED
clicked = "click"
"""
INT64_EDGES = (-(2**63), -(2**63) + 1, -(2**62), 2**62, 2**63 - 2, 2**63 - 1)


@pytest.fixture
def read(imported, tmp_path):
    """Import a table of these times in July 2025; `told` is what the mapping says about the column `t`."""

    def run(times, told='"t"', month="2025-07"):
        mapping = tmp_path / "mapping.toml"
        mapping.write_text(MAPPING.replace("OCCURRED", told))
        rows = len(times)
        columns = {"id": [str(n) for n in range(rows)], "user": ["u"] * rows, "click": ["0"] * rows}
        if isinstance(times, pa.Array):
            path = tmp_path / "log.parquet"
            pq.write_table(pa.table({**columns, "t": times}), path)
        else:
            path = tmp_path / "log.csv"
            lines = zip(*columns.values(), times, strict=True)
            path.write_text("id,user,click,t\n" + "".join(f'{a},{b},{c},"{t}"\n' for a, b, c, t in lines))
        return imported(path, "ads", "table", month, mapping)

    return run


def when(made):
    return [row["occurred_at"] for row in made.events]


TOLD = [
    ("1751500800", "epoch_s", None, datetime(2025, 7, 3)),
    ("1751500800.5", "epoch_s", None, datetime(2025, 7, 3, 0, 0, 0, 500_000)),
    ("1751500800123", "epoch_ms", None, datetime(2025, 7, 3, 0, 0, 0, 123_000)),
    ("1751500800123456", "epoch_us", None, datetime(2025, 7, 3, 0, 0, 0, 123_456)),
    ("1751500800123456789", "epoch_ns", None, datetime(2025, 7, 3, 0, 0, 0, 123_456)),
    ("25071501", "%y%m%d%H", None, datetime(2025, 7, 15, 1)),
    ("7/15/2025 8:55:22 AM", "%m/%d/%Y %I:%M:%S %p", None, datetime(2025, 7, 15, 8, 55, 22)),
    ("7/15/2025 8:55:22 AM", "%m/%d/%Y %I:%M:%S %p", "America/New_York", datetime(2025, 7, 15, 12, 55, 22)),
    ("15.7.2025", "%d.%m.%Y", "+08:00", datetime(2025, 7, 14, 16)),
    ("2025-07-15 10:00", None, "Europe/Paris", datetime(2025, 7, 15, 8)),
    ("2025-07-15T10:00Z", None, "Europe/Paris", datetime(2025, 7, 15, 10)),
    ("2025-07-15T10:00+03:00", None, "Europe/Paris", datetime(2025, 7, 15, 7)),
    ("15/Jul/2025:10:00:00 +0200", "%d/%b/%Y:%H:%M:%S %z", None, datetime(2025, 7, 15, 8)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "form", "zone", "utc"), TOLD)
def test_a_time_is_read_in_the_format_and_the_zone_that_the_mapping_names(read, text, form, zone, utc):
    words = {"column": "t", "format": form, "zone": zone}
    told = ", ".join(f'{name} = "{word}"' for name, word in words.items() if word)
    made = read([text, "no time"], f"{{ {told} }}")
    assert when(made) == [utc]
    assert [bad["reason"] for bad in made.quarantine] == ["wrong type: occurred_at is no time"]


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64(), pa.decimal128(19, 0), pa.string()], ids=str)
def test_numbers_of_a_parquet_file_are_times_too(read, kind):
    numbers = pa.array([1751500800, *INT64_EDGES], pa.int64()).cast(kind, safe=False)
    made = read(numbers, '{ column = "t", format = "epoch_s" }')
    assert (when(made), made.totals["quarantined"]) == ([datetime(2025, 7, 3)], len(INT64_EDGES))


def test_a_time_that_clocks_skip_is_no_time_and_of_an_hour_that_they_repeat_it_is_the_second(read):
    told = '{ column = "t", zone = "Europe/Paris" }'
    skipped = read(["2025-03-30 02:30", "2025-03-30 03:30"], told, "2025-03")
    assert (when(skipped), skipped.totals["read"]) == ([datetime(2025, 3, 30, 1, 30)], 2)


def test_an_hour_that_clocks_repeat_is_the_second(read):
    told = '{ column = "t", zone = "Europe/Paris" }'
    assert when(read(["2025-10-26 02:30"], told, "2025-10")) == [datetime(2025, 10, 26, 1, 30)]


UNTOLD = [
    (["1751500800", "1751500900"], "epoch_s"),
    (["1751500800123", "1751500900123"], "epoch_ms"),
    (["25071500", "25071501"], "%y%m%d%H"),
    (["2025071500", "2025071501"], "%Y%m%d%H"),
    (["20250715", "20250716"], "%Y%m%d"),
    (["7/15/2025 8:55:22 AM", "7/5/2025 8:55:22 PM"], "%m/%d/%Y %I:%M:%S %p"),
    (["7/5/2025", "7/6/2025"], "%m/%d/%Y"),
    (["5/7/2025", "6/7/2025"], "%d/%m/%Y"),
    (["15.07.2025 10:00", "16.07.2025 10:00"], "%d.%m.%Y %H:%M"),
    (["Tue, 15 Jul 2025 10:00:00 +0200", ""], "%a, %d %b %Y %H:%M:%S %z"),
]


@pytest.mark.parametrize(("times", "form"), UNTOLD)
def test_without_a_format_the_refusal_proposes_the_one_that_fits_all_rows(read, times, form):
    with pytest.raises(NothingFits) as caught:
        read(times)
    assert f'write occurred_at = {{ column = "t", format = "{form}" }} in the mapping' in str(caught.value)
    assert not any(time and time in str(caught.value) for time in times)
    assert when(read(times, f'{{ column = "t", format = "{form}" }}'))


def test_formats_that_fit_equally_well_are_all_named(read):
    with pytest.raises(NothingFits, match=re.escape('format = "%d/%m/%Y" or format = "%m/%d/%Y"')):
        read(["7/7/2025"])


def test_no_format_is_proposed_if_none_fits_or_if_the_times_are_not_what_is_wrong(read):
    for times in (["in July", "1751500800"], ["2025-06-01"]):
        with pytest.raises(NothingFits, match="check --month") as caught:
            read(times)
        assert "format" not in str(caught.value)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ('{ column = "t", format = "%q" }', "'%q' is no format of times; write epoch_s"),
        ('{ column = "t", format = "" }', "is no format of times"),
        (
            '{ column = "t", zone = "+99:99" }',
            r"'\+99:99' is no time zone; write a name such as Europe/Paris",
        ),
        ('{ column = "t", zone = "Nowhere/City" }', "'Nowhere/City' is no time zone"),
        ('{ column = "t", format = "epoch_s", zone = "UTC" }', "'epoch_s' takes no zone"),
        ('{ column = "t", format = "%Y %z", zone = "Europe/Paris" }', "'%Y %z' takes no zone"),
        ('{ column = "t", format = "%Y", otherwise = "x" }', "both codes and a format"),
    ],
)
def test_a_format_or_zone_that_is_none_is_refused_before_a_row_is_read(read, told, words):
    with pytest.raises(BadMapping, match=words) as caught:
        read(["2025-07-15"], told)
    assert "\n" not in str(caught.value)


def test_only_the_column_of_times_has_a_format(read, tmp_path):
    with pytest.raises(
        BadMapping, match="gives spend_cents a format or a zone of times, which only occurred_at has"
    ):
        read(["2025-07-15"], '"t"\nspend_cents = { column = "click", zone = "UTC" }')


KINDS = [
    *(pa.timestamp(unit, tz=zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "+99:99", "Nowhere/City")),
    pa.date32(), pa.date64(),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_arrow_type_of_times_is_read(read, kind):
    """Among them `timestamp[ns, UTC]`, in which pandas stores dates with a zone."""
    day = pa.array([datetime(2025, 7, 15)], pa.timestamp("s")).cast(
        kind if pa.types.is_date(kind) else pa.int64()
    )
    times = day if pa.types.is_date(kind) else seconds(day, kind)
    assert when(read(times)) == [datetime(2025, 7, 15)]


def seconds(numbers, kind):
    per = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
    return pa.array([number * per for number in numbers.to_pylist()], pa.int64()).view(kind)


@pytest.mark.parametrize("kind", [pa.time32("s"), pa.time64("ns"), pa.duration("s")], ids=str)
def test_a_time_of_day_and_a_duration_are_no_times(read, kind):
    numbers = pa.array([1], pa.int32() if kind.bit_width == 32 else pa.int64())
    with pytest.raises(NothingFits, match="occurred_at is no time"):
        read(numbers.view(kind))


@pytest.mark.parametrize("zone", [None, "UTC", "+99:99"])
@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_a_time_at_the_edge_of_64_bits_is_kept_aside(read, unit, zone):
    kind = pa.timestamp(unit, tz=zone)
    good = seconds(pa.array([1751500800]), kind).view(pa.int64()).to_pylist()
    made = read(pa.array([*good, *INT64_EDGES], pa.int64()).view(kind))
    assert when(made) == [datetime(2025, 7, 3)]
    assert made.totals["quarantined"] == len(INT64_EDGES)
