"""An edit of a serving copy changes no answer: neither its bytes nor its ETag, at a start and while the API runs."""

import os

import duckdb
import pytest

from tests.api.conftest import AGGREGATES

QUESTION = f"{AGGREGATES}?measure=actions&group_by=category"


@pytest.fixture
def own_deployment(deployment, tmp_path):
    copy = deployment.copy(tmp_path / "home")
    copy.make_serving_copies()
    yield copy
    copy.close()


def copies(home):
    return sorted((home / "cache").glob("release_moderation_*.duckdb"))


def double_the_actions(path):
    before = path.stat()
    with duckdb.connect(str(path)) as con:
        con.execute("UPDATE cells SET actions = actions * 2")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_an_update_of_a_serving_copy_changes_no_answer_after_a_restart(own_deployment, caplog):
    token = own_deployment.token()
    with own_deployment.client(token) as client:
        right = client.get(QUESTION)
    edited = copies(own_deployment.home)
    for path in edited:
        double_the_actions(path)
    with own_deployment.client(token) as client:
        answer = client.get(QUESTION)
        assert (answer.content, answer.headers["etag"]) == (right.content, right.headers["etag"])
        assert client.get("/readyz").json()["status"] == "ok"
    warnings = " ".join(record.getMessage() for record in caplog.records)
    assert all(path.name in warnings for path in edited)
    assert not {*edited} & {*copies(own_deployment.home)}


def test_an_update_of_a_serving_copy_changes_no_answer_of_a_running_server(own_deployment):
    token = own_deployment.token()
    with own_deployment.client(token, answers_mib=0) as client:
        right = client.get(QUESTION)
        before = copies(own_deployment.home)
        for path in before:
            edited = path.with_name("elsewhere")
            edited.write_bytes(path.read_bytes())
            double_the_actions(edited)
            path.write_bytes(edited.read_bytes())
            edited.unlink()
        answer = client.get(QUESTION)
        assert (answer.content, answer.headers["etag"]) == (right.content, right.headers["etag"])
    (served,) = (path for path in before if "_2026_06_1_" in path.name)
    assert served not in copies(own_deployment.home), "the copy that was changed is not read again"


def test_copies_are_made_once_for_all_processes_of_a_deployment(own_deployment):
    before = {path: path.stat().st_ctime_ns for path in copies(own_deployment.home)}
    own_deployment.make_serving_copies()
    assert {path: path.stat().st_ctime_ns for path in copies(own_deployment.home)} == before
