"""The serving copy is a cache: made once, shared by readers, and never believed if its bytes are not those that were sealed."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from datasets.release.answer.copy_source import CopySource
from datasets.release.answer.deadline import Deadline
from datasets.release.format.verification import ReleaseDamaged, ReleaseUnavailable
from datasets.release.releases import Releases
from tests.datasets.release.damage import ask_crates
from tests.datasets.release.small_release import verify

KEY = b"the key of this deployment"


@pytest.fixture
def open_releases(root, tmp_path):
    """Opens the releases as a new process with the deployment's key, or another one, does; closed at the end."""
    opened = []

    def open_(key=KEY):
        opened.append(Releases(root, tmp_path / "cache", verify, ("harvest",), 1e9, cache_key=key))
        assert opened[-1].degraded == ()
        return opened[-1]

    yield open_
    for releases in opened:
        releases.close()


@pytest.fixture
def right(releases):
    """The rows of an answer by an untouched cache."""
    return ask_crates(releases).rows


def copies(cache: Path, month="2026_06") -> list[Path]:
    return sorted(cache.glob(f"release_harvest_{month}_*.duckdb"))


def add_a_thousand(path: Path) -> None:
    """Change every cell of a copy, in the same file and with the same time of modification."""
    before, edited = path.stat(), path.with_name("elsewhere")
    shutil.copy(path, edited)
    with duckdb.connect(str(edited)) as con:
        con.execute("UPDATE cells SET crates = crates + 1000")
    path.write_bytes(edited.read_bytes())
    edited.unlink()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def update_with_duckdb(path):
    before = path.stat()
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE cells SET crates = crates + 1000")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def update_in_a_write_ahead_log(path):
    """DuckDB applies a log beside the file, which itself stays as it was sealed."""
    edited = path.with_name("edited.duckdb")
    shutil.copy(path, edited)
    program = (
        "import duckdb, os, sys; con = duckdb.connect(sys.argv[1]); con.execute('SET checkpoint_threshold = \\'1TB\\'')\n"
        "con.execute('UPDATE cells SET crates = crates + 1000'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, str(edited)], check=True)
    edited.with_name("edited.duckdb.wal").replace(path.with_name(f"{path.name}.wal"))
    edited.unlink()


def cut_off(path):
    path.write_bytes(path.read_bytes()[:5000])


def replace_by_a_link(path):
    elsewhere = path.parent.parent / "elsewhere.duckdb"
    path.rename(elsewhere)
    update_with_duckdb(elsewhere)
    path.symlink_to(elsewhere)


def replace_by_a_pipe(path):
    path.unlink()
    os.mkfifo(path)


def let_everybody_write_to_it(path):
    path.chmod(0o666)


def let_the_group_write_to_its_seal(path):
    next(path.parent.glob("*2026_06*.seal")).chmod(0o660)


def put_another_release_under_its_name(path):
    path.write_bytes(copies(path.parent, "2026_05")[0].read_bytes())


def seal_another_release_under_its_name(path):
    """As an attacker would who can copy and rename files: the seal of May on the copy of May, in the place of June."""
    (may,) = copies(path.parent, "2026_05")
    seals = {month: next(path.parent.glob(f"*{month}*.seal")) for month in ("2026_05", "2026_06")}
    path.write_bytes(may.read_bytes())
    seals["2026_06"].write_text(seals["2026_05"].read_text().replace(may.name, path.name))


def seal_without_the_key(path):
    update_with_duckdb(path)
    seal = next(path.parent.glob("*2026_06*.seal"))
    seal.write_text(f"{path.name} {'0' * 64}\n")


def name_a_file_outside(path):
    seal = next(path.parent.glob("*2026_06*.seal"))
    seal.write_text(seal.read_text().replace(path.name, f"../{path.name}"))


DAMAGES = [
    update_with_duckdb,
    update_in_a_write_ahead_log,
    cut_off,
    replace_by_a_link,
    replace_by_a_pipe,
    let_everybody_write_to_it,
    let_the_group_write_to_its_seal,
    put_another_release_under_its_name,
    seal_another_release_under_its_name,
    seal_without_the_key,
    name_a_file_outside,
]


def test_a_copy_is_made_once(open_releases, tmp_path, right):
    assert ask_crates(open_releases()).rows == right
    files = {path: path.stat().st_ctime_ns for path in (tmp_path / "cache").iterdir()}
    assert len(copies(tmp_path / "cache")) == 1
    assert ask_crates(open_releases()).rows == right
    assert {path: path.stat().st_ctime_ns for path in (tmp_path / "cache").iterdir()} == files


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_copy_that_was_changed_is_refused_and_made_again_at_the_next_start(
    open_releases, tmp_path, right, caplog, damage
):
    open_releases().close()
    (path,) = copies(tmp_path / "cache")
    damage(path)
    assert ask_crates(open_releases()).rows == right
    refused = [record.getMessage() for record in caplog.records if "serving copy" in record.getMessage()]
    assert len(refused) == 1
    assert path.name.split(".")[0] in refused[0]
    (fresh,) = copies(tmp_path / "cache")
    assert fresh != path
    assert not path.exists()


def test_a_copy_that_is_changed_while_it_is_served_changes_no_answer(open_releases, tmp_path, right, caplog):
    releases = open_releases()
    assert ask_crates(releases).rows == right
    (path,) = copies(tmp_path / "cache")
    add_a_thousand(path)
    assert ask_crates(releases).rows == right
    assert any(f"{path.name} is refused" in record.getMessage() for record in caplog.records)
    (fresh,) = copies(tmp_path / "cache")
    assert fresh != path
    add_a_thousand(fresh)
    assert ask_crates(releases).rows == right


def test_a_copy_that_is_changed_while_a_query_reads_it_changes_no_answer(
    open_releases, tmp_path, right, monkeypatch
):
    """The edit comes after the copy was verified for this question, and before DuckDB reads it for the first time."""
    releases = open_releases()
    fetch = Deadline.fetch
    edited: list[Path] = []

    def edit_and_fetch(self, cursor, sql, values):
        if not edited:
            edited.extend(copies(tmp_path / "cache"))
            add_a_thousand(edited[0])
        return fetch(self, cursor, sql, values)

    monkeypatch.setattr(Deadline, "fetch", edit_and_fetch)
    assert ask_crates(releases).rows == right
    assert len(edited) == 1
    assert not edited[0].exists()


def test_a_copy_whose_times_change_but_not_its_contents_is_served_on(open_releases, tmp_path, right, caplog):
    releases = open_releases()
    (path,) = copies(tmp_path / "cache")
    path.touch()
    path.unlink()
    assert ask_crates(releases).rows == right
    assert copies(tmp_path / "cache") == []
    assert not any("refused" in record.getMessage() for record in caplog.records)


def test_a_question_is_refused_if_the_copy_was_changed_and_the_release_as_well(root, open_releases, tmp_path):
    releases = open_releases()
    (path,) = copies(tmp_path / "cache")
    add_a_thousand(path)
    cells = root / "harvest" / "2026-06.2" / "cells.parquet"
    before, data = cells.stat(), bytearray(cells.read_bytes())
    data[len(data) // 2] ^= 1
    cells.write_bytes(data)
    os.utime(cells, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ReleaseDamaged, match=r"cells.parquet is not the file that was signed"):
        ask_crates(releases)
    assert not releases.current("harvest")[-1].is_unchanged, (
        "a time of modification that was set back is seen"
    )


def test_a_question_is_refused_if_a_changed_copy_cannot_be_made_again(
    open_releases, tmp_path, monkeypatch, right
):
    releases = open_releases()
    add_a_thousand(copies(tmp_path / "cache")[0])

    def raise_disk_full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(CopySource, "write_copy", raise_disk_full)
    with pytest.raises(
        ReleaseUnavailable, match=r"its serving copy can neither be read nor made at the moment"
    ):
        ask_crates(releases)
    monkeypatch.undo()
    assert ask_crates(releases).rows == right


def test_processes_with_different_keys_leave_each_others_copies_alone(open_releases, tmp_path, right):
    for key in (b"one key", b"another key"):
        assert ask_crates(open_releases(key)).rows == right
    made = {path: path.stat().st_ctime_ns for path in (tmp_path / "cache").iterdir()}
    assert len(copies(tmp_path / "cache")) == 2
    for key in (b"one key", b"another key"):
        assert ask_crates(open_releases(key)).rows == right
    assert {path: path.stat().st_ctime_ns for path in (tmp_path / "cache").iterdir()} == made


def test_what_a_killed_process_left_is_removed_when_the_copy_is_made(open_releases, tmp_path, right):
    open_releases().close()
    (path,) = copies(tmp_path / "cache")
    left = tmp_path / "cache" / ".making-left"
    left.mkdir()
    (left / "cells.duckdb").write_bytes(b"half")
    unsealed = path.with_name(f"{path.name.split('.')[0]}.0123456789abcdef.duckdb")
    unsealed.write_bytes(b"half")
    cut_off(path)
    assert ask_crates(open_releases()).rows == right
    assert not left.exists()
    assert not unsealed.exists()


def test_readers_that_start_at_once_make_one_copy(root, tmp_path, right):
    def start(_):
        releases = Releases(root, tmp_path / "cache", verify, ("harvest",), cache_key=KEY)
        try:
            return ask_crates(releases).rows
        finally:
            releases.close()

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(start, range(4))) == [right] * 4
    assert len(copies(tmp_path / "cache")) == 1


def test_readers_can_open_and_close_while_another_stays_open(root, tmp_path):
    """In a process of its own, since the failure that this looks for is an endless loop inside DuckDB."""
    program = (
        "import sys; from pathlib import Path; from datasets.release.releases import Releases\n"
        "from tests.datasets.release.small_release import verify\n"
        "def opened(): return Releases(Path(sys.argv[1]), Path(sys.argv[2]), verify, ('harvest',), cache_key=b'key')\n"
        "stays = opened()\n"
        "for _ in range(300):\n"
        "    opened().close()\n"
        "stays.close(); print('done')"
    )
    # the limit is no measure of speed: it only ends the loop
    ended = subprocess.run(
        [sys.executable, "-c", program, str(root), str(tmp_path / "cache")],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert ended.stdout == "done\n", ended.stderr
