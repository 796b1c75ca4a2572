"""Source files: what is read, and what is refused in one sentence without leaving anything behind."""

import hashlib
import zipfile

import pytest

from datasets.pipeline.events.layout import MonthExists
from datasets.pipeline.importers.importing import NothingFits, WrongDataset
from datasets.pipeline.importers.sources import UnreadableFile
from datasets.refusal import Refusal
from tests.datasets.pipeline.importers.conftest import FULL, statement, write_csv


def zipped(path, *files, nested=False):
    """Files in a zip; `nested` puts each in a zip of its own first, as the daily dumps do."""
    with zipfile.ZipFile(path, "w") as outer:
        for file in files:
            inner = file
            if nested:
                inner = file.with_name(file.name + ".zip")
                with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
                    archive.write(file, file.name)
            outer.write(inner, inner.name)
    return path


def sha1_beside(path, *, text=None):
    digest = hashlib.sha1(path.read_bytes()).hexdigest()
    path.with_name(path.name + ".sha1").write_text(text or f"{digest}  {path.name}\n")


@pytest.fixture
def parts(tmp_path):
    """Two CSV files of a dump, the second one with a header only."""
    one = write_csv(tmp_path / "sor-x-2025-07-01-full-00000-00000.csv", [statement(1), statement(2)])
    return one, write_csv(tmp_path / "sor-x-2025-07-01-full-00000-00001.csv", [])


@pytest.mark.parametrize("nested", [False, True])
def test_dumps_are_read_as_zip_and_as_zip_in_zip(imported, tmp_path, parts, nested):
    path = zipped(tmp_path / "sor-x-2025-07-01-full.zip", *parts, nested=nested)
    sha1_beside(path)
    made = imported(path)
    assert made.totals["kept"] == 2
    assert not any("sha1" in remark for remark in made.remarks)


@pytest.mark.parametrize(
    ("encoding", "newline"), [("utf-8-sig", "\n"), ("utf-8", "\r\n"), ("utf-8-sig", "\r\n")]
)
def test_a_byte_order_mark_and_crlf_are_fine(imported, tmp_path, encoding, newline):
    path = write_csv(tmp_path / "sor.csv", [statement(1)], encoding=encoding, newline=newline)
    assert imported(path).totals["kept"] == 1


def test_newlines_within_quotes_and_empty_lines_are_fine(imported, tmp_path):
    path = write_csv(tmp_path / "sor.csv", [statement(1, decision_facts="one\ntwo"), statement(2)])
    path.write_text(path.read_text() + "\n\n")
    assert imported(path).totals["kept"] == 2


def test_a_row_with_too_many_or_too_few_fields_is_kept_aside(imported, tmp_path):
    path = write_csv(tmp_path / "sor.csv", [statement(1), statement(2), statement(3)])
    lines = path.read_text().splitlines()
    lines[2] = "only,three,fields"
    path.write_text("\n".join([*lines, lines[1] + ",one more"]) + "\n")
    made = imported(path)
    assert [row["event_id"][-1] for row in made.events] == ["1", "3"]
    assert [(bad["row"], bad["reason"]) for bad in made.quarantine] == [
        (2, "wrong number of fields"),
        (4, "wrong number of fields"),
    ]
    assert made.totals["read"] == 4


def refused(imported, tmp_path, sources, words, **options):
    with pytest.raises(Refusal, match=words) as caught:
        imported(sources, **options)
    assert "\n" not in str(caught.value)
    left = [path for path in (tmp_path / "events").rglob("*") if path.name not in {".lock", "moderation"}]
    assert left == [], "something half done was left behind"


def test_a_file_that_does_not_match_its_checksum_is_refused(imported, tmp_path, parts):
    path = zipped(tmp_path / "dump.zip", *parts)
    sha1_beside(path, text=f"{'0' * 40}  dump.zip")
    refused(imported, tmp_path, path, "does not match dump.zip.sha1")


def test_a_checksum_of_another_file_is_refused(imported, tmp_path, parts):
    path = zipped(tmp_path / "dump.zip", *parts)
    sha1_beside(path, text=f"{hashlib.sha1(path.read_bytes()).hexdigest()}  other.zip")
    refused(imported, tmp_path, path, "names other.zip, not dump.zip")


def test_a_truncated_csv_is_refused(imported, tmp_path, parts):
    path = parts[0]
    whole = path.read_bytes()
    for cut in (len(whole) - 40, len(whole) - 600, whole.index(b"\n") + 60, 30):
        path.write_bytes(whole[:cut])
        refused(imported, tmp_path, path, "truncated|no column")


def test_a_csv_that_ends_within_quotes_is_refused(imported, tmp_path, parts):
    text = parts[0].read_text()
    parts[0].write_text(text[: text.index('""robot')])
    refused(imported, tmp_path, parts[0], "truncated")


@pytest.mark.parametrize("nested", [False, True])
def test_every_truncation_of_an_archive_is_refused(imported, tmp_path, parts, nested):
    path = zipped(tmp_path / "dump.zip", *parts, nested=nested)
    whole = path.read_bytes()
    for cut in range(0, len(whole), max(1, len(whole) // 20)):
        path.write_bytes(whole[:cut])
        refused(imported, tmp_path, path, "not .*begin as a zip archive|is not a zip archive|empty archive")


def test_a_flipped_byte_in_an_archive_is_refused(imported, tmp_path, parts):
    path = tmp_path / "dump.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(parts[0], parts[0].name)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 0xFF
    path.write_bytes(whole)
    refused(imported, tmp_path, path, "damaged")


@pytest.mark.parametrize(
    ("name", "contents", "words"),
    [
        ("sor.zip", b"uuid,category\n1,2\n", "is not a zip archive"),
        ("sor.csv", b"PK\x03\x04\x14\x00\xff\xfe\x00", "not UTF-8 text"),
        ("sor.csv", b"\x00\x01\x02\x03", "no column"),
        ("sor.csv", b"", "is empty"),
        ("sor.csv", ",".join(FULL).encode() + b"\n", "contain no row"),
        ("sor.csv", b"uuid,UUID\n", "the column 'uuid' twice"),
        ("sor.txt", b"uuid\n", "ends in '.txt'"),
        ("sor.parquet", b"PAR1", "ends in '.parquet'"),
    ],
)
def test_what_is_not_what_its_name_says_is_refused(imported, tmp_path, name, contents, words):
    (tmp_path / name).write_bytes(contents)
    refused(imported, tmp_path, tmp_path / name, words)


def test_archives_deeper_than_two_or_with_other_files_are_refused(imported, tmp_path, parts):
    two = zipped(tmp_path / "two.zip", *parts, nested=True)
    refused(imported, tmp_path, zipped(tmp_path / "three.zip", two), "archives deep")
    note = tmp_path / "readme.txt"
    note.write_text("hello")
    refused(imported, tmp_path, zipped(tmp_path / "with_a_note.zip", note), "neither .csv nor .zip")
    refused(imported, tmp_path, zipped(tmp_path / "nothing.zip"), "empty archive")


def test_a_missing_file_a_folder_and_the_same_file_twice_are_refused(imported, tmp_path, parts):
    refused(imported, tmp_path, tmp_path / "missing.csv", "is not a file")
    refused(imported, tmp_path, tmp_path, "is not a file")
    refused(imported, tmp_path, [parts[0], tmp_path / ".." / tmp_path.name / parts[0].name], "given twice")


def test_the_wrong_month_is_refused_rather_than_written_empty(imported, tmp_path, parts):
    with pytest.raises(NothingFits, match="check --month"):
        imported(parts[0], month="2025-08")
    assert not (tmp_path / "events" / "moderation" / "2025-08").exists()


def test_a_format_of_another_dataset_is_refused(imported, parts):
    with pytest.raises(WrongDataset, match="is imported as moderation, not as ads"):
        imported(parts[0], dataset="ads")


def test_a_month_that_is_there_is_not_written_over_without_saying_so(imported, parts):
    assert imported(parts[0]).totals["kept"] == 2
    with pytest.raises(MonthExists, match="--replace"):
        imported(parts[0])
    assert imported(parts[0], replace=True).totals["kept"] == 2


def test_a_failed_replacement_leaves_the_old_month_as_it_was(imported, tmp_path, parts):
    before = imported(parts[0]).events
    parts[1].write_bytes(b"")
    with pytest.raises(UnreadableFile):
        imported(list(parts), replace=True)
    parts[1].unlink()
    folder = tmp_path / "events" / "moderation" / "2025-07"
    assert sorted(path.name for path in folder.iterdir()) == ["part-00000.parquet", "source.json"]
    assert imported(parts[0], replace=True).events == before


def test_progress_is_reported_up_to_the_last_byte(imported, tmp_path, parts):
    path = zipped(tmp_path / "dump.zip", *parts, nested=True)
    progress: list[int] = []
    imported([path, parts[0]], on_bytes=progress.append)
    assert progress == sorted(progress)
    assert progress[-1] == path.stat().st_size + parts[0].stat().st_size
