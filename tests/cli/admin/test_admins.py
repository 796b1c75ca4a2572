"""Admins, keys and the audit log from the command line: the result is the only standard output."""

import json
import os
import re
from datetime import UTC, datetime

import pytest

from auth.errors import NotAllowed, TokenRefused, UnknownRecord
from auth.registry import open_registry
from auth.settings import RegistrySettings
from tests.cli.admin.test_tokens import daylight_admin as daylight_admin


@pytest.fixture
def owner(daylight_admin):
    """The first owner's identifier, as the command prints it."""
    found, messages = daylight_admin(
        "admins", "add", "--name", "An Owner", "--email", "o@example.org", "--role", "owner"
    )
    assert messages.endswith("o@example.org is an admin with the role owner; open a session for them.\n")
    return found.strip()


def registry_of(tmp_path):
    return open_registry(RegistrySettings(home=tmp_path / "var"))


def test_a_session_is_opened_for_an_admin_and_closed(daylight_admin, owner, tmp_path):
    text, messages = daylight_admin("session", "open", "o@example.org", "--minutes", "5")
    session = re.findall(r"Session (tok_\w+) is open until", messages)[0]
    registry = registry_of(tmp_path)
    try:
        assert registry.sessions.principal(text.strip(), datetime.now(UTC)).admin == owner
        assert daylight_admin("session", "close", session)[1] == f"Session {session} is closed.\n"
        with pytest.raises(TokenRefused):
            registry.sessions.principal(text.strip(), datetime.now(UTC))
    finally:
        registry.close()


def test_an_admin_whose_rights_have_ended_gets_no_session(daylight_admin, owner):
    assert daylight_admin("admins", "end", "o@example.org")[1] == "o@example.org is no longer an admin.\n"
    assert owner in daylight_admin("admins", "list")[0]
    with pytest.raises(NotAllowed, match="no longer an admin"):
        daylight_admin("session", "open", "o@example.org")


def test_a_key_is_revoked_and_its_successor_is_printed(daylight_admin, owner):
    lines = daylight_admin("key", "list")[0].splitlines()
    active = next(
        re.findall(r"[0-9a-f]{16}", line)[0] for line in lines if "token" in line and "active" in line
    )
    successor, messages = daylight_admin("key", "revoke", active)
    assert messages == f"Key {active} is revoked; {successor.strip()} signs from now on.\n"
    after = next(line for line in daylight_admin("key", "list")[0].splitlines() if active in line)
    assert "revoked" in after
    waiting = next(line for line in daylight_admin("key", "list")[0].splitlines() if "next" in line)
    nothing, _ = daylight_admin("key", "revoke", re.findall(r"[0-9a-f]{16}", waiting)[0])
    assert nothing == "\n"


def test_the_audit_is_exported_as_lines_of_json_and_its_head(daylight_admin, owner):
    *events, head = [json.loads(line) for line in daylight_admin("audit", "export")[0].splitlines()]
    assert [event["act"] for event in events] == ["registry.made", "admin.added"]
    assert head["head"] == events[-1]["hash"]
    assert len(daylight_admin("audit", "export", "--after", "1")[0].splitlines()) == 2


def test_an_application_waits_for_another_person_if_the_setting_requires_it(
    daylight_admin, owner, monkeypatch
):
    monkeypatch.setenv("DAYLIGHT_FOUR_EYES", "project-approval")
    daylight_admin(
        "application", "submit", "--reference", "REQ-2", "--dsc", "IE", "--purpose", "Risks", "--from", "2026-01-01",
        "--until", "2030-01-01", "--scopes", "ads:read",
    )  # fmt: skip
    stdout, messages = daylight_admin("application", "approve", "REQ-2")
    assert (stdout, messages) == (
        "",
        "REQ-2 waits for another person, who must approve it with the same command.\n",
    )
    assert "project-approval" in daylight_admin("admins", "pending")[0]
    with pytest.raises(NotAllowed, match="another person must"):
        daylight_admin("application", "approve", "REQ-2")
    monkeypatch.setenv("LOGNAME", "somebody-else")
    with pytest.raises(NotAllowed, match="another person must"):  # a name in the environment is no person
        daylight_admin("application", "approve", "REQ-2")
    another = 0 if os.getuid() else 1
    monkeypatch.setattr("cli.terminal.os.getuid", lambda: another)
    assert daylight_admin("application", "approve", "REQ-2")[0].startswith("prj_")


def test_one_token_is_shown_without_its_text(daylight_admin, owner):
    with pytest.raises(UnknownRecord):
        daylight_admin("token", "show", "tok_nothing")
    daylight_admin(
        "project", "create", "--reference", "REQ-1", "--dsc", "IE", "--purpose", "Risks", "--until", "2030-01-01",
        "--scopes", "ads:read",
    )  # fmt: skip
    daylight_admin(
        "researcher", "add", "--project", "REQ-1", "--name", "A Person", "--email", "p@example.org", "--institution", "X",
    )  # fmt: skip
    text, messages = daylight_admin("token", "issue", "--project", "REQ-1", "--researcher", "p@example.org")
    shown, _ = daylight_admin("token", "show", re.findall(r"tok_\w+", messages)[0])
    assert "p@example.org" in shown
    assert "active" in shown
    assert text.split(".")[2].strip() not in shown
