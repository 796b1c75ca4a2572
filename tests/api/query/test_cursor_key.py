"""The key of cursors and of the seals of serving copies: created once, or refused in one sentence if it protects nothing."""

import os
import secrets

import pytest
from pydantic import ValidationError

from api.query.cursor_key import CursorKeyUnusable, cursor_key, serving_copy_key
from api.settings import ApiSettings
from auth.settings import RegistrySettings
from cli import main
from datasets.pipeline.settings import BuildSettings


@pytest.fixture
def settings(tmp_path):
    return ApiSettings(home=tmp_path / "home")


@pytest.fixture
def file(settings):
    """The file of a key that was created."""
    cursor_key(settings)
    return settings.home / "cursor.key"


def replace_by_pipe(file):
    file.unlink()
    os.mkfifo(file, 0o600)


def test_the_file_is_created_once_for_its_owner_alone(settings, file):
    assert cursor_key(settings) == cursor_key(settings) == file.read_bytes()
    assert len(file.read_bytes()) == 64
    assert file.stat().st_mode & 0o777 == 0o600
    assert serving_copy_key(settings) != cursor_key(settings)
    assert os.listdir(settings.home) == ["cursor.key"]  # noqa: PTH208  hidden files too


def test_a_home_that_is_made_for_the_key_is_its_owners_alone_whatever_the_umask(tmp_path):
    home = tmp_path / "above" / "home"
    before = os.umask(0)
    try:
        cursor_key(ApiSettings(home=home))
    finally:
        os.umask(before)
    assert home.stat().st_mode & 0o777 == 0o700
    assert home.parent.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("text", ["x", "0123456789abcdef0123456789abcde", " " * 40])
def test_a_short_key_is_refused_as_a_setting_and_not_repeated(monkeypatch, capsys, text):
    monkeypatch.setenv("DAYLIGHT_CURSOR_KEY", text)
    monkeypatch.setattr("sys.argv", ["daylight", "serve"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    printed = capsys.readouterr().err
    assert ended.value.code == 2
    assert printed == (
        "daylight: the setting DAYLIGHT_CURSOR_KEY cannot be used: it is shorter than 32 characters; use those of "
        "openssl rand -hex 32\n"
    )


def test_a_key_of_32_characters_is_used_as_it_is():
    text = secrets.token_hex(16)
    assert cursor_key(ApiSettings(cursor_key=text)) == text.encode()
    with pytest.raises(ValidationError):
        ApiSettings(cursor_key=text[:-1])


def test_a_line_break_at_the_end_of_a_key_makes_no_other_key(settings, file):
    text = secrets.token_hex(32)
    file.write_text(f"{text}\n")
    assert cursor_key(settings) == cursor_key(ApiSettings(cursor_key=f"{text}\n")) == text.encode()


@pytest.mark.parametrize(
    ("kind", "secret"),
    [
        (ApiSettings, "cursor_key"),
        (ApiSettings, "redis_url"),
        (RegistrySettings, "registry_url"),
        (BuildSettings, "ledger_url"),
    ],
)
def test_no_message_about_a_setting_repeats_a_secret(kind, secret):
    for value in ("hunter2", ["hunter2"]):
        with pytest.raises(ValidationError) as refused:
            kind.model_validate({secret: value, "home": 0.25})
        assert "hunter2" not in str(refused.value)
    with pytest.raises(ValidationError, match=secret):
        kind.model_validate({secret: ["hunter2"]})
    assert "hunter2" not in repr(kind.model_validate({secret: "hunter2" * 8}))


@pytest.mark.parametrize(
    ("kind", "setting", "value", "right"),
    [
        (ApiSettings, "limit_open", "600 a minute", "write one such as 100/minute"),
        (ApiSettings, "proxies", "proxy.example.org", "write such as 10.0.0.7 or 10.0.0.0/24"),
        (BuildSettings, "rho_cap_year", "much", "write a fraction such as 1/2 or 0.5"),
        (RegistrySettings, "four_eyes", "project-aproval", "is none of project-approval, release-withdrawal"),
    ],
)
def test_a_setting_that_is_no_secret_is_reported_with_its_value_and_what_is_right(
    kind, setting, value, right
):
    with pytest.raises(ValidationError, match=right) as refused:
        kind.model_validate({setting: value})
    assert f"{value!r}" in str(refused.value)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda file: file.write_bytes(b""), "holds 0 characters and must hold 32 or more"),
        (lambda file: file.write_text("x" * 31 + "\n"), "holds 31 characters"),
        (lambda file: file.chmod(0o644), "is accessible to others than its owner (mode 0644)"),
        (lambda file: file.rename(file.with_name("else")).parent.joinpath(file.name).symlink_to("else"), "cannot be read"),
        (lambda file: (file.unlink(), file.symlink_to("nowhere")), "cannot be read"),
        (lambda file: (file.unlink(), file.mkdir()), "cannot be read"),
        (replace_by_pipe, "is not a regular file"),
    ],
    ids=["empty", "short", "others", "link", "dangling link", "folder", "pipe"],
)  # fmt: skip
def test_a_file_that_protects_nothing_is_refused_in_one_sentence(settings, file, spoil, problem):
    spoil(file)
    with pytest.raises(CursorKeyUnusable) as refused:
        cursor_key(settings)
    assert str(refused.value).startswith(f"{file} {problem}")
    assert "mode 0600" in str(refused.value)


def test_a_file_of_another_user_is_refused(settings, file, monkeypatch):
    owner = os.geteuid()
    monkeypatch.setattr("os.geteuid", lambda: owner + 1)  # only root could give the file away
    with pytest.raises(CursorKeyUnusable, match=f"belongs to the user {owner}, and this process runs as"):
        cursor_key(settings)


def test_the_server_does_not_start_with_such_a_file(settings, file, monkeypatch, capsys):
    file.chmod(0o640)
    monkeypatch.setenv("DAYLIGHT_HOME", str(settings.home))
    monkeypatch.setattr("sys.argv", ["daylight", "serve"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    printed = capsys.readouterr().err
    assert ended.value.code == 2
    assert printed.startswith(f"daylight: {file} is accessible to others than its owner (mode 0640)")
    assert printed.count("\n") == 1
