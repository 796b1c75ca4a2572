"""`daylight reports` only reads: the user who runs it may be another than the server's, who must not find its files."""

import tempfile

import pytest

from auth.errors import RegistryUnavailable
from cli.main import NO_REGISTRY, open_releases


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


def test_reports_do_not_create_a_registry_and_say_that_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYLIGHT_HOME", str(tmp_path / "home"))
    with (
        pytest.raises(RegistryUnavailable, match="no signature of a release can be checked"),
        open_releases(),
    ):
        pytest.fail("releases were opened whose signatures nobody can check")
    assert not (tmp_path / "home").exists()


def test_a_registry_that_cannot_be_read_is_named_and_no_signature_is_blamed(
    deployment, tmp_path, monkeypatch
):
    copy = deployment.copy(tmp_path / "home")
    copy.close()
    (copy.home / "registry.sqlite").write_bytes(b"no database at all" * 100)
    monkeypatch.setenv("DAYLIGHT_HOME", str(copy.home))
    with pytest.raises(RegistryUnavailable) as refused, open_releases():
        pytest.fail("releases were opened whose signatures nobody can check")
    assert refused.value.sentence == NO_REGISTRY


def test_a_registry_that_does_not_answer_is_named_as_a_cause(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYLIGHT_HOME", str(tmp_path))
    monkeypatch.setenv("DAYLIGHT_REGISTRY_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    with (
        pytest.raises(RegistryUnavailable, match="the registry does not answer, has no tables") as refused,
        open_releases(),
    ):
        pytest.fail("releases were opened whose signatures nobody can check")
    assert "nobody@" not in refused.value.sentence


def test_reports_make_copies_of_the_months_that_are_asked_alone(deployment, tmp_path, monkeypatch):
    copy = deployment.copy(tmp_path / "home")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("DAYLIGHT_HOME", str(copy.home))
    with open_releases() as releases:
        assert list(temporary.rglob("*.duckdb")) == []
        question = releases.question("moderation", [("measure", "actions"), ("period", "2026-06")])
        assert releases.ask(question).rows
        assert len(list(temporary.rglob("*.duckdb"))) == 1
    copy.close()
