"""A file in the cache that somebody else made is not queried, even with a right seal, and no query reads a file outside the cache."""

import hashlib
import os
import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from datasets.release.answer.copy_source import CopySource
from datasets.release.answer.sealed_file import seal_of
from datasets.release.releases import Releases
from tests.datasets.release.damage import ask_crates
from tests.datasets.release.small_release import verify

KEY = b"the key of this deployment"


def view_of_a_file(con, columns, secret):
    con.execute("DROP TABLE cells")
    con.execute(
        f"CREATE VIEW cells AS SELECT {columns} FROM (SELECT 0 AS one, content FROM read_text('{secret}'))"
    )


def view_of_another_table(con, columns, secret):
    con.execute("ALTER TABLE cells RENAME TO others")
    con.execute("CREATE VIEW cells AS SELECT * FROM others")


def another_table(con, columns, secret):
    con.execute("CREATE TABLE more AS SELECT 1 AS one")


def generated_column(con, columns, secret):
    con.execute("ALTER TABLE cells RENAME TO others")
    *stored, last = con.execute("DESCRIBE others").fetchall()
    fields = ", ".join(f'"{name}" {type_}' for name, type_, *_ in stored)
    con.execute(f'CREATE TABLE cells ({fields}, "{last[0]}" DOUBLE GENERATED ALWAYS AS ("crates" * 2))')
    con.execute(f"INSERT INTO cells SELECT {', '.join(name for name, *_ in stored)} FROM others")
    con.execute("DROP TABLE others")


def macro(con, columns, secret):
    con.execute("CREATE MACRO more(one) AS one + 1")


def type_(con, columns, secret):
    con.execute("CREATE TYPE more AS ENUM ('one')")


def sequence(con, columns, secret):
    con.execute("CREATE SEQUENCE more")


def index(con, columns, secret):
    con.execute("CREATE INDEX more ON cells (cuboid)")


def empty_schema(con, columns, secret):
    con.execute("CREATE SCHEMA more")


def another_type(con, columns, secret):
    con.execute("ALTER TABLE cells ALTER cuboid TYPE INTEGER")


def plant(releases, cache, change, secret):
    """Change the copy of June and seal it as a process that has the key does."""
    (path,) = cache.glob("release_harvest_2026_06*.duckdb")
    with duckdb.connect(str(path)) as con:
        names = [row[0] for row in con.execute("DESCRIBE cells").fetchall()]
        change(con, ", ".join(f'one AS "{name}"' for name in names), secret)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    fingerprint = releases.current("harvest")[-1].fingerprint
    (seal,) = cache.glob("release_harvest_2026_06*.seal")
    seal.write_text(f"{path.name} {seal_of(path.name, fingerprint, sha256, KEY)}\n")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (view_of_a_file, "more or other things"),
        (view_of_another_table, "more or other things"),
        (another_table, "more or other things"),
        (macro, "more or other things"),
        (type_, "more or other things"),
        (sequence, "more or other things"),
        (index, "more or other things"),
        (empty_schema, "more or other things"),
        (generated_column, "columns are not those"),
        (another_type, "columns are not those"),
    ],
)
def test_a_planted_table_or_view_is_not_queried(root, tmp_path, releases, caplog, change, reason):
    cache, secret = tmp_path / "cache", tmp_path / "secret"
    secret.write_text("a private key")
    first = Releases(root, cache, verify, ("harvest",), 1e9, cache_key=KEY)
    first.close()
    plant(first, cache, change, secret)
    again = Releases(root, cache, verify, ("harvest",), 1e9, cache_key=KEY)
    assert ask_crates(again).rows == ask_crates(releases).rows
    again.close()
    (refused,) = (record.getMessage() for record in caplog.records if "is refused" in record.getMessage())
    assert reason in refused


def add_a_thousand(con, cells):
    con.execute("UPDATE cells SET crates = crates + 1000")


def add_a_thousand_on_both_sides(con, cells):
    """A macro of the file would be called in place of DuckDB's function if the file were the default catalogue."""
    add_a_thousand(con, cells)
    con.execute(
        "CREATE MACRO read_parquet(file, file_row_number := true) AS TABLE SELECT * REPLACE (crates + 1000 AS crates) "
        f"FROM parquet_scan('{cells}', file_row_number = true)"
    )


def add_a_macro(con, cells):
    con.execute("CREATE MACRO more(one) AS one + 1")


def make(releases_root, cache):
    return Releases(releases_root, cache, verify, ("harvest",), -1.0, cache_key=KEY)


@pytest.mark.parametrize("change", [add_a_thousand, add_a_thousand_on_both_sides, add_a_macro])
@pytest.mark.parametrize("step", ["write_copy", "ensure_equal"])
def test_a_file_that_is_swapped_while_the_copy_is_made_gets_no_seal(
    root, tmp_path, monkeypatch, releases, caplog, step, change
):
    """As somebody may do who can rename the folder in which DuckDB writes."""
    original = getattr(CopySource, step)

    def swap_afterwards(self, *arguments):
        found = original(self, *arguments)
        fresh = found or arguments[0]
        edited = Path(shutil.copy(fresh, fresh.with_name("edited.duckdb")))
        with duckdb.connect(str(edited)) as con:
            change(con, fresh.with_name("cells.parquet"))
        edited.replace(fresh)
        return found

    monkeypatch.setattr(CopySource, step, swap_afterwards)
    swapped = make(root, tmp_path / "cache")
    assert len(swapped.degraded) == 2
    assert {path.name for path in (tmp_path / "cache").iterdir()} == {".lock"}
    assert "is refused and made again" not in caplog.text, "it had been sealed"
    monkeypatch.undo()
    swapped.store.retry_seconds = 0.0
    assert ask_crates(swapped).rows == ask_crates(releases).rows
    swapped.close()


def test_a_file_that_is_replaced_for_the_comparison_only_gets_no_seal(root, tmp_path, monkeypatch, caplog):
    write, compare = CopySource.write_copy, CopySource.ensure_equal

    def write_and_edit(self, folder):
        fresh = write(self, folder)
        shutil.copy(fresh, fresh.with_name("good"))
        with duckdb.connect(str(fresh)) as con:
            add_a_thousand(con, fresh.with_name("cells.parquet"))
        return fresh

    def compare_the_good_one(self, fresh):
        fresh.rename(fresh.with_name("edited"))
        fresh.with_name("good").rename(fresh)
        compare(self, fresh)
        fresh.with_name("edited").replace(fresh)

    monkeypatch.setattr(CopySource, "write_copy", write_and_edit)
    monkeypatch.setattr(CopySource, "ensure_equal", compare_the_good_one)
    swapped = make(root, tmp_path / "cache")
    assert len(swapped.degraded) == 2
    assert "it was changed while it was compared" in caplog.text
    swapped.close()


def test_nobody_else_may_read_or_write_what_is_in_the_cache_whatever_the_umask(root, tmp_path):
    before = os.umask(0)
    try:
        Releases(root, tmp_path / "cache", verify, ("harvest",), cache_key=KEY).close()
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "cache").iterdir()}
    assert len(modes) == 5, "a lock, and a copy and its seal for each month"
    assert set(modes.values()) == {0}


def test_a_query_reads_no_file_outside_of_the_cache(reader, tmp_path):
    secret, outside = tmp_path / "secret", tmp_path / "outside.duckdb"
    secret.write_text("a private key")
    (tmp_path / "cache" / "link").symlink_to(secret)
    duckdb.connect(str(outside)).close()
    with reader.store.connection.cursor() as cursor:
        for query in (
            f"SELECT * FROM read_text('{secret}')",
            f"SELECT * FROM read_text('{tmp_path}/cache/link')",
            f"SELECT * FROM read_text('{tmp_path}/cache/../secret')",
            "SELECT * FROM read_text('/proc/self/environ')",
            f"ATTACH '{outside}' AS outside",
            f"COPY (SELECT 1) TO '{tmp_path}/written'",
        ):
            with pytest.raises(duckdb.PermissionException):
                cursor.execute(query)
    assert not (tmp_path / "written").exists()


def test_a_query_reads_no_variable_of_the_program_and_spills_nothing(reader):
    secret = pa.table({"key": ["a private key"]})
    with reader.store.connection.cursor() as cursor:
        with pytest.raises(duckdb.CatalogException):
            cursor.execute("SELECT * FROM secret")
        assert cursor.execute("SELECT current_setting('temp_directory')").fetchall() == [("",)]
    assert secret.num_rows == 1


def test_what_a_query_may_read_cannot_be_changed_any_more(reader):
    with reader.store.connection.cursor() as cursor:
        for setting in (
            "enable_external_access = true",
            "allowed_directories = ['/']",
            "temp_directory = '/tmp'",
        ):
            with pytest.raises(duckdb.InvalidInputException, match="locked"):
                cursor.execute(f"SET {setting}")


def test_a_cache_below_a_link_and_with_a_quote_in_its_name_is_served(root, tmp_path, releases):
    (tmp_path / "it's real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "it's real")
    linked = Releases(root, tmp_path / "link" / "cache", verify, ("harvest",), cache_key=KEY)
    assert ask_crates(linked).rows == ask_crates(releases).rows
    linked.close()
