"""The serving copy is a cache: it is made once, made again if it is damaged, and shared by readers."""

import subprocess
import sys

from datasets.release.releases import Releases
from tests.datasets.release.damage import ask_crates
from tests.datasets.release.small_release import verify


def test_the_cache_is_made_once_and_made_again_when_it_is_damaged(root, tmp_path):
    def rows():
        releases = Releases(root, tmp_path / "cache", verify, ("harvest",))
        try:
            assert releases.degraded == ()
            return ask_crates(releases).rows
        finally:
            releases.close()

    first = rows()
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    assert rows() == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()} == files
    for path in files:
        path.write_bytes(path.read_bytes()[:5000])
    assert rows() == first


def test_readers_can_open_and_close_while_another_stays_open(root, tmp_path):
    """In a process of its own, since the failure that this looks for is an endless loop inside DuckDB."""
    program = (
        "import sys; from pathlib import Path; from datasets.release.releases import Releases\n"
        "from tests.datasets.release.small_release import verify\n"
        "def opened(): return Releases(Path(sys.argv[1]), Path(sys.argv[2]), verify, ('harvest',))\n"
        "stays = opened()\n"
        "for _ in range(300):\n"
        "    opened().close()\n"
        "stays.close(); print('done')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(root), str(tmp_path / "cache")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.stdout == "done\n", ended.stderr
