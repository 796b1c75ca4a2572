"""End-to-end tests as a person uses the project: the commands, a server, and curl."""

import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.live import answers, reserved_port
from tests.waiting import PATIENCE, wait_until

QUESTION = "/v1/datasets/moderation/aggregates?measure=actions&group_by=category"
UNTIL = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()


@contextmanager
def running_server(daylight):
    """Run `daylight serve` on a free port until the end of the block; yields its address."""
    with reserved_port() as port, (daylight.home / "serve.log").open("w") as log:
        command = [str(Path(sys.executable).with_name("daylight")), "serve", "--port", str(port)]
        env = {**daylight.env, "DAYLIGHT_HOME": str(daylight.home)}
        server = subprocess.Popen(command, stderr=log, stdout=log, env=env)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: answers(url), "the server")
            yield url
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(PATIENCE) in {0, -signal.SIGTERM}


@pytest.fixture(scope="module")
def built(daylight):
    daylight(
        "events",
        "generate",
        "moderation",
        "--month",
        "2026-06",
        "--rows",
        5_000,
        "--out",
        daylight.home / "events",
    )
    daylight("release", "build", "moderation", "--month", "2026-06", "--events", daylight.home / "events")
    return daylight


@pytest.fixture(scope="module")
def project(built):
    name = built(
        "admin", "project", "create", "--reference", "REQ-1", "--dsc", "IE", "--purpose", "Risks", "--reason", "decided",
        "--scopes", "moderation:read", "--until", UNTIL,
    ).stdout.strip()  # fmt: skip
    built(
        "admin", "researcher", "add", "--project", name, "--name", "A Researcher", "--email", "r@example.org", "--reason", "named",
        "--institution", "An institution",
    )  # fmt: skip
    return name


def issue_token(daylight, project):
    return daylight(
        "admin", "token", "issue", "--project", project, "--researcher", "r@example.org", "--reason", "first"
    ).stdout.strip()


def curl(url, token=None, *more):
    header = ["-H", f"Authorization: Bearer {token}"] if token else []
    ended = subprocess.run(
        ["curl", "-sS", "-i", *header, *more, url], capture_output=True, text=True, check=True
    )
    head, _, body = ended.stdout.partition("\n\n")
    return int(head.split()[1]), head.lower(), body


def test_a_token_gets_an_answer_from_a_built_release_until_it_is_revoked(built, project):
    token = issue_token(built, project)
    with running_server(built) as url:
        status, _, body = curl(url + QUESTION + "&format=csv", token)
        assert status == 200
        header, *rows = body.splitlines()
        assert header == "period,category,actions,actions_se,actions_lo,actions_hi,actions_status"
        assert len(rows) == 17
        status, head, body = curl(url + QUESTION)
        assert status == 401
        assert "content-type: application/problem+json" in head
        assert "Authorization: Bearer" in body
        token_id = re.findall(r"tok_\w+", built("admin", "token", "list").stdout)[0]
        built("admin", "token", "revoke", token_id, "--reason", "left")
        assert curl(url + QUESTION, token)[0] == 401
    log = (built.home / "serve.log").read_text()
    assert token not in log
    assert "Traceback" not in log


def test_a_second_build_of_a_month_is_refused_with_one_line(built):
    again = built(
        "release", "build", "moderation", "--month", "2026-06", "--events", built.home / "events", check=False
    )
    assert again.returncode == 2
    assert "2026-06" in again.stderr
    assert "--correction" in again.stderr


def test_the_ledger_the_releases_and_the_audit_log_can_be_verified(built, project):
    assert "1 release(s) verified" in built("release", "verify").stdout
    assert "2026-06.1" in built("ledger", "show").stdout, "a pipe has no width: nothing is cut"
    built("ledger", "verify")
    built("admin", "audit", "verify")
    assert "2026-06.1" in built("release", "list").stdout


def test_a_plan_shows_standard_errors_without_any_events(daylight):
    plan = daylight("release", "plan", "moderation", "--depth", 1).stdout
    assert "category" in plan
    assert re.search(r"\d+\.\d", plan)


def test_a_build_prints_no_exact_count(daylight):
    rows = 4_673
    daylight(
        "events",
        "generate",
        "moderation",
        "--month",
        "2026-03",
        "--rows",
        rows,
        "--out",
        daylight.home / "events",
    )
    ended = daylight(
        "release", "build", "moderation", "--month", "2026-03", "--events", daylight.home / "events"
    )
    assert not re.search(r"4,?673", ended.stdout + ended.stderr)


WRONG_ARGUMENTS = [
    (["events", "generate", "moderations", "--month", "2026-06", "--rows", "5", "--out", "x"], "Did you mean moderation"),
    (["events", "generate", "moderation", "--month", "2026-6", "--rows", "5", "--out", "x"], "YYYY-MM"),
    (["events", "generate", "moderation", "--month", "2026-06", "--rows", "0", "--out", "x"], "--rows 0"),
    (["events", "import", "moderation", "--format", "csv", "--month", "2026-06", "a.csv", "--out", "x"], "statements-of-reasons"),
    (
        ["events", "import", "moderation", "--format", "statements-of-reasons", "--month", "2026-06", "a.csv", "--out", "x"],
        "a.csv is not a file",
    ),
    (["release", "build", "moderation", "--month", "2026-06", "--events", "nowhere"], "there are no events"),
    (["release", "build", "moderation", "--month", "2026-02-30", "--events", "nowhere"], "YYYY-MM"),
    (["release", "plan", "adds"], "Did you mean ads"),
    (["admin", "token", "revoke", "tok_nothing", "--reason", "left"], "tok_nothing"),
    (["admin", "token", "issue", "--project", "nothing", "--researcher", "r@example.org", "--reason", "first"], "nothing"),
    (
        ["admin", "project", "create", "--reference", "R", "--dsc", "IE", "--purpose", "p", "--reason", "decided", "--scopes", "moderatoin:read",
         "--until", UNTIL],
        "moderation:read",
    ),
    (
        ["admin", "project", "create", "--reference", "R", "--dsc", "IE", "--purpose", "p", "--reason", "decided", "--scopes", "ads:read",
         "--until", "2026-02-30"],
        "2026-02-30",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"),
    WRONG_ARGUMENTS,
    ids=[" ".join(wrong[0][:3]) + f" {n}" for n, wrong in enumerate(WRONG_ARGUMENTS)],
)
def test_wrong_arguments_end_with_one_line_and_exit_code_2(daylight, arguments, message, tmp_path):
    arguments = [str(tmp_path / each) if each in {"x", "nowhere", "a.csv"} else each for each in arguments]
    ended = daylight(*arguments, check=False)
    assert ended.returncode == 2, ended.stderr
    lines = [line for line in ended.stderr.splitlines() if line.startswith("daylight: ")]
    assert len(lines) == 1, ended.stderr
    assert message in lines[0]
    assert "Traceback" not in ended.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("setting", "value", "command", "message"),
    [
        ("DAYLIGHT_RHO_CAP_MONTH", "much", ["ledger", "show"], "is not a rho"),
        ("DAYLIGHT_RHO_CAP_YEAR", "-1", ["ledger", "show"], "not above zero"),
        ("DAYLIGHT_LEDGER_URL", "nonsense", ["ledger", "show"], "DAYLIGHT_LEDGER_URL"),
        ("DAYLIGHT_PORT", "http", ["serve"], "DAYLIGHT_PORT"),
        ("DAYLIGHT_WORKERS", "0", ["serve"], "DAYLIGHT_WORKERS"),
        ("DAYLIGHT_REGISTRY_URL", "nonsense", ["admin", "project", "list"], "registry"),
        ("DAYLIGHT_LIMIT_OPEN", "many", ["serve"], "DAYLIGHT_LIMIT_OPEN"),
        ("RATELIMIT_ENABLED", "false", ["serve"], "RATELIMIT_ENABLED"),
    ],
)
def test_a_wrong_setting_ends_a_command_with_one_line(daylight, setting, value, command, message):
    ended = daylight(*command, check=False, **{setting: value})
    assert ended.returncode == 2, ended.stderr
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
