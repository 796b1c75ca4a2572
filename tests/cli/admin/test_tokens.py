"""`daylight admin`, as a person and as a script use it: results on stdout, messages on stderr."""

from __future__ import annotations

import os
import pwd
import sqlite3
from datetime import UTC, datetime

import pytest
from rich.console import Console
from rich.text import Text
from typer.testing import CliRunner

from auth.errors import ChainBroken, RegistryError, TokenRefused
from auth.registry import open_registry
from auth.settings import RegistrySettings
from cli.admin.main import admin
from cli.terminal import open_or_create_registry

READS = {"list", "show", "verify", "export", "versions", "ending", "identify", "pending", "unclosed"}


def with_reason(words: tuple[str, ...]) -> list[str]:
    """The words of a command, with a reason added if it is a change without one."""
    return [*words] if words[1] in READS or "--reason" in words else [*words, "--reason", "a test"]


@pytest.fixture
def daylight_admin(tmp_path, monkeypatch):
    """Runs a command; returns its standard output and standard error, or raises its refusal."""
    monkeypatch.setenv("DAYLIGHT_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("COLUMNS", "80")

    def run(*words: str, stdin: str = "") -> tuple[str, str]:
        done = CliRunner().invoke(admin, with_reason(words), input=stdin)
        if isinstance(done.exception, RegistryError):
            assert done.stdout == "", "a refusal prints nothing on standard output"
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout, done.stderr

    return run


@pytest.fixture
def with_member(daylight_admin):
    daylight_admin(
        *("project", "create", "--reference", "REQ-1", "--dsc", "IE", "--purpose", "Systemic risks"),
        *("--scopes", "moderation:read,ads:read", "--until", "2999-12-31", "--reason", "approved"),
    )
    daylight_admin(
        *("researcher", "add", "--project", "REQ-1", "--name", "Ann [bold]Example"),
        *("--email", "ann@uni.example", "--institution", "An Example University"),
    )
    return daylight_admin


ISSUE = ("token", "issue", "--project", "REQ-1", "--researcher", "ann@uni.example")


def test_a_valid_token_is_the_only_standard_output(with_member):
    stdout, stderr = with_member(*ISSUE, "--scopes", "moderation:read", "--label", "notebook")
    text = stdout.removesuffix("\n")
    assert text.count(".") == 2 and not set(text) & set(" \n")
    assert text not in stderr and "valid until" in stderr
    registry = open_registry(RegistrySettings())
    assert registry.authenticator.principal(text, datetime.now(UTC)).scopes == {"moderation:read"}
    with_member("token", "revoke", text, "--reason", "a test")
    with pytest.raises(TokenRefused):
        registry.authenticator.principal(text, datetime.now(UTC))
    registry.close()


def test_revoking_a_token_that_was_rotated_lists_each_token_that_is_closed(with_member):
    old = with_member(*ISSUE)[0].strip()
    new = with_member("token", "rotate", "-", stdin=f"{old}\n")[0].strip()
    name, successor = (with_member("token", "identify", text)[0].strip() for text in (old, new))
    stdout, stderr = with_member("token", "revoke", name)
    assert stdout == ""
    words = " ".join(stderr.split())
    assert f"Token {name} is revoked." in words
    assert f"Token {successor} is revoked too: it belongs to the same chain of rotations." in words
    assert "was already revoked" in with_member("token", "revoke", name)[1]
    assert "revoked" in with_member("token", "show", successor)[0]


def test_open_tokens_of_a_chain_that_was_revoked_are_listed(with_member):
    old = with_member(*ISSUE)[0].strip()
    new = with_member("token", "rotate", "-", stdin=f"{old}\n")[0].strip()
    name, successor = (with_member("token", "identify", text)[0].strip() for text in (old, new))
    with_member("token", "revoke", name)
    assert "tok_" not in with_member("token", "unclosed")[0]
    with sqlite3.connect(RegistrySettings().home / "registry.sqlite") as database:
        database.execute("UPDATE token SET revoked = NULL WHERE jti = ?", (successor,))
    listed = with_member("token", "unclosed")[0]
    assert successor in listed and name not in listed


def test_an_identifier_is_the_only_standard_output(daylight_admin):
    stdout, stderr = daylight_admin(
        *("project", "create", "--reference", "REQ-1", "--dsc", "IE", "--purpose", "x"),
        *("--from", "2026-01-01"),
        *("--scopes", "ads:read", "--until", "2999-12-31", "--tier", "extended"),
    )
    assert stdout.startswith("prj_") and stdout.count("\n") == 1
    assert "Created a registry" in stderr and "from 2026-01-01 to 2999-12-31" in stderr


def test_the_creation_of_the_registry_is_reported_once(daylight_admin):
    assert "Created a registry" in daylight_admin("project", "list")[1]
    assert daylight_admin("project", "list")[1] == ""


def test_other_commands_open_the_registry_and_sign_with_its_keys(daylight_admin, capsys):
    registry = open_or_create_registry()
    signature = registry.keys.release_signer()(b"a manifest")
    registry.keys.release_verifier()(b"a manifest", signature)
    registry.close()
    messages = capsys.readouterr()
    assert messages.out == "" and "Created a registry" in messages.err


def test_a_table_in_a_pipe_shows_every_cell_in_full(with_member):
    with_member(*ISSUE, "--label", "[red]a label that is quite long indeed, to see that it is not cut")
    (project_table, _), (token_table, _) = with_member("project", "list"), with_member("token", "list")
    for cell in ("REQ-1", "prj_", "IE", "ads:read moderation:read", "standard", "active", "2999-12-31"):
        assert cell in project_table
    for cell in (
        "tok_",
        "ann@uni.example",
        "[red]a label that is quite long indeed, to see",
        "never",
        "active",
    ):
        assert cell in token_table
    assert "tok_" in with_member("token", "list", "--project", "REQ-1")[0]


def test_a_token_can_be_revoked_from_standard_input(with_member):
    text, _ = with_member(*ISSUE)
    assert "is revoked" in with_member("token", "revoke", "-", stdin=text)[1]
    assert "was already revoked" in with_member("token", "revoke", "-", stdin=text)[1]


def test_a_repeated_issue_with_an_idempotency_key_gives_the_same_token(with_member):
    first, _ = with_member(*ISSUE, "--idempotency-key", "k")
    second, messages = with_member(*ISSUE, "--idempotency-key", "k")
    assert first.split(".")[1] == second.split(".")[1] and "again" in messages


def test_the_audit_log_is_verified_and_damage_is_located(with_member, tmp_path):
    stdout, _ = with_member("audit", "verify")
    assert stdout.startswith("The audit log is intact: 3 events")
    with sqlite3.connect(tmp_path / "var" / "registry.sqlite") as connection:
        connection.execute("DROP TRIGGER audit_event_no_update")
        connection.execute("UPDATE audit_event SET reason = 'x' WHERE seq = 2")
    connection.close()
    with pytest.raises(ChainBroken, match="event 2 does not match its hash"):
        with_member("audit", "verify")


def test_the_reason_and_the_user_are_in_the_audit_log(with_member, tmp_path):
    stored = (tmp_path / "var" / "registry.sqlite").read_bytes()
    assert b"approved" in stored
    assert b"a test" in stored
    assert b"cli:" in stored


def test_a_change_without_a_reason_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYLIGHT_HOME", str(tmp_path / "var"))
    done = CliRunner().invoke(admin, ["token", "revoke", "tok_a"])
    assert done.exit_code == 2
    assert "--reason" in done.output
    assert not (tmp_path / "var").exists()


def test_a_user_without_a_name_is_recorded_by_number(daylight_admin, monkeypatch, tmp_path):
    monkeypatch.setattr(pwd, "getpwuid", lambda number: {}[number])
    daylight_admin("project", "list")
    assert f"cli:{os.getuid()}".encode() in (tmp_path / "var" / "registry.sqlite").read_bytes()


def test_the_environment_cannot_change_the_recorded_user(daylight_admin, monkeypatch, tmp_path):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "another")
    daylight_admin("project", "list")
    held = (tmp_path / "var" / "registry.sqlite").read_bytes()
    assert f"cli:{pwd.getpwuid(os.getuid()).pw_name}".encode() in held
    assert b"cli:another" not in held


def test_a_table_fits_the_terminal(with_member, monkeypatch):
    monkeypatch.setattr("cli.terminal.Console", lambda **_: Console(force_terminal=True, width=60))
    stdout, _ = with_member("project", "list")
    assert max(len(Text.from_ansi(line)) for line in stdout.splitlines()) <= 60


def test_keys_are_listed_and_rotated(with_member):
    before, _ = with_member("key", "list")
    kid, messages = with_member("key", "rotate", "token")
    assert kid.strip() in before and "signs every token" in messages
    assert "retired" in with_member("key", "list")[0]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((*ISSUE, "--scopes", "ads:raed"), "scopes: 'ads:raed' is none of .* Did you mean ads:read"),
        ((*ISSUE, "--scopes", "reports:read"), "scopes: reports:read is beyond the project REQ-1"),
        ((*ISSUE, "--days", "0"), "days: 0 is not between 1 and 366"),
        ((*ISSUE, "--reason", "two\nlines"), "reason: "),
        (("token", "revoke", "tok_x"), "token: there is no token 'tok_x'"),
        (("token", "list", "--project", "REQ-2"), "project: there is no project 'REQ-2'"),
    ],
)
def test_a_refusal_is_one_sentence(with_member, words, sentence):
    with pytest.raises(RegistryError, match=sentence):
        with_member(*words)


def test_a_malformed_day_is_refused_before_the_registry_is_created(daylight_admin, tmp_path):
    with pytest.raises(RegistryError, match="until: '31.12.2026' is not a day"):
        daylight_admin(
            *("project", "create", "--reference", "R", "--dsc", "IE", "--purpose", "x"),
            *("--scopes", "ads:read", "--until", "31.12.2026"),
        )
    assert not (tmp_path / "var").exists()


def test_a_request_is_handled_from_its_submission_to_the_notices_for_the_coordinator(daylight_admin):
    identifier, messages = daylight_admin(
        *(
            "application",
            "submit",
            "--reference",
            "REQ-9",
            "--dsc",
            "IE",
            "--purpose",
            "Systemic risks",
            "--from",
            "2026-07-01",
        ),
        *("--until", "2999-12-31", "--scopes", "moderation:read"),
    )
    assert identifier.startswith("app_")
    assert "an amendment can be requested until" in messages
    assert "submitted" in daylight_admin("application", "list")[0]
    daylight_admin("application", "return", "REQ-9", "--reason", "Which months?")
    daylight_admin("application", "resubmit", "REQ-9")
    assert daylight_admin("application", "approve", "REQ-9")[0].startswith("prj_")
    daylight_admin(
        *(
            "researcher",
            "add",
            "--project",
            "REQ-9",
            "--name",
            "Ann",
            "--email",
            "ann@uni.example",
            "--institution",
            "A university",
        )
    )
    daylight_admin("project", "change", "REQ-9", "--tier", "extended", "--reason", "Amended.")
    daylight_admin("project", "suspend", "REQ-9", "--reason", "The coordinator asks.")
    daylight_admin("project", "resume", "REQ-9")
    daylight_admin("researcher", "remove", "--project", "REQ-9", "--researcher", "ann@uni.example")
    daylight_admin("project", "end", "REQ-9", "--reason", "Done.")
    versions = daylight_admin("project", "versions", "REQ-9")[0]
    assert [state in versions for state in ("active", "suspended", "ended")] == [True] * 3
    lines = daylight_admin("notice", "export")[0].splitlines()
    assert lines[0] == "notice,reference,dsc,kind,at,due,sent"
    assert sorted(line.split(",")[3] for line in lines[1:]) == ["access_begins", "access_ends"]
    daylight_admin("notice", "sent", lines[1].split(",")[0])
    assert "LATE" not in daylight_admin("notice", "list")[0]
    daylight_admin("audit", "verify")


def test_a_token_is_replaced_narrowed_and_identified(with_member):
    old = with_member(*ISSUE)[0].strip()
    new = with_member("token", "rotate", "-", "--overlap-hours", "1", stdin=old + "\n")[0].strip()
    assert new.count(".") == 2
    assert new != old
    with_member("token", "narrow", "-", "--scopes", "ads:read", stdin=new + "\n")
    name, messages = with_member("token", "identify", "-", stdin=new + "\n")
    assert name.startswith("tok_")
    assert "ann@uni.example, project REQ-1: active" in messages
    assert new not in messages
    assert "ads:read" in with_member("token", "list")[0]
    assert "REQ-1" in with_member("project", "ending", "--days", "400000")[0]
