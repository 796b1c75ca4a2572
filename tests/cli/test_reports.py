"""`daylight reports` only reads: the user who runs it may be another than the server's, who must not find its files."""

import tempfile

from cli.main import open_releases


def listing(home):
    return sorted(map(str, home.rglob("*")))


def test_reports_create_nothing_in_the_home_and_leave_nothing_behind(deployment, tmp_path, monkeypatch):
    copy = deployment.copy(tmp_path / "home")
    for name in ("cursor.key", "cache"):
        (copy.home / name).rename(tmp_path / name)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("DAYLIGHT_HOME", str(copy.home))
    before = listing(copy.home)
    with open_releases() as releases:
        assert [release.name for release in releases.current("moderation")] == ["2026-05.1", "2026-06.1"]
        assert listing(copy.home) == before
        assert [folder.stat().st_mode & 0o777 for folder in temporary.iterdir()] == [0o700]
    assert (listing(copy.home), listing(temporary)) == (before, [])
    copy.close()


def test_reports_do_not_create_a_registry(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYLIGHT_HOME", str(tmp_path / "home"))
    with open_releases() as releases:
        assert releases.current("moderation") == ()
    assert not (tmp_path / "home").exists()
