"""A release that was wrong is withdrawn with a reason and corrected; nothing of it is served any more."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from datasets.pipeline.operations.withdrawal import CannotWithdraw
from tests.api.conftest import AGGREGATES, ensure_problem
from tests.api.query.corrections import MAY, REASON, withdraw_release


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        (AGGREGATES, MAY),
        (AGGREGATES, {"measure": "actions", "period": "2026-05..2026-06", "freq": "month"}),
        (AGGREGATES, {"measure": "actions", "compare": "period:2026-06,2026-05"}),
        (AGGREGATES, {"measure": "actions", "release": "2026-05.1"}),
        ("/v1/datasets/moderation/plan", MAY),
        ("/v1/datasets/moderation/citation", MAY),
        ("/v1/releases/moderation/2026-05.1", {}),
        ("/v1/releases/moderation/2026-05.1/citation", {}),
        ("/v1/releases/moderation/2026-05.1/diff/2026-06.1", {}),
        ("/v1/releases/moderation/2026-05.1/files/cells.parquet", {}),
    ],
)
def test_a_request_for_a_withdrawn_release_is_refused_with_the_reason(reader, path, parameters):
    body = ensure_problem(reader.get(path, params=parameters), 410, "release-withdrawn")
    assert REASON in body["detail"]
    assert "it has no successor yet" in body["detail"]
    assert body["value"] == "2026-05.1"


def test_releases_that_were_not_withdrawn_are_served_as_before(reader):
    assert reader.get(AGGREGATES, params={"measure": "actions"}).json()["releases"] == ["2026-06.1"]
    assert reader.get("/v1/datasets/moderation").json()["coverage"] == ["2026-06"]


def test_a_running_server_notices_a_withdrawal(deployment, tmp_path):
    copy = deployment.copy(tmp_path / "home")
    with copy.client(copy.token()) as client:
        assert client.get(AGGREGATES, params=MAY).status_code == 200
        withdraw_release(copy, "2026-05.1")
        client.app.state.releases.store.refresh()
        ensure_problem(client.get(AGGREGATES, params=MAY), 410, "release-withdrawn")
        assert client.get("/readyz").json()["degraded"] == []
    copy.close()


def test_no_cached_answer_of_a_withdrawn_release_is_served_not_even_at_once(deployment, tmp_path):
    """Also where the server has not looked at the pointers since, and where the asker has the answer already."""
    copy = deployment.copy(tmp_path / "home")
    with copy.client(copy.token()) as client:
        client.app.state.releases.store.refresh_seconds = 1e9
        etag = client.get(AGGREGATES, params=MAY).headers["etag"]
        withdraw_release(copy, "2026-05.1")
        ensure_problem(client.get(AGGREGATES, params=MAY), 410, "release-withdrawn")
        known = client.get(AGGREGATES, params=MAY, headers={"If-None-Match": etag})
        ensure_problem(known, 410, "release-withdrawn")
    copy.close()


def test_a_withdrawal_of_one_month_leaves_other_months_available_as_of_any_time(deployment, tmp_path):
    copy = deployment.copy(tmp_path / "home")
    withdraw_release(copy, "2026-05.1")
    with copy.client(copy.token()) as client:
        at = datetime.fromisoformat(client.get("/v1/errata").json()["errata"][0]["at"])
        before, after = (f"{when:%Y-%m-%dT%H:%M:%SZ}" for when in (at - timedelta(seconds=1), at))
        for when in (before, after):
            june = {"measure": "actions", "period": "2026-06", "as_of": when}
            assert client.get(AGGREGATES, params=june).json()["releases"] == ["2026-06.1"]
        then = client.get(AGGREGATES, params={**MAY, "as_of": before})
        ensure_problem(then, 410, "release-withdrawn")
    copy.close()


def test_an_interrupted_withdrawal_is_completed_by_repeating_it(corrected, tmp_path):
    copy = corrected.copy(tmp_path / "home")
    pointer = copy.releases / "moderation" / "2026-06.current"
    withdraw_release(copy, "2026-06.2")
    assert pointer.read_text() == "2026-06.1\n"
    pointer.write_text("2026-06.2\n")  # as a crash before the pointer moved would have left it
    assert withdraw_release(copy, "2026-06.2") == "2026-06.1"
    with copy.client(copy.token()) as client:
        assert client.get(AGGREGATES, params={"measure": "actions"}).json()["releases"] == ["2026-06.1"]
        gone = client.get(AGGREGATES, params={"measure": "actions", "release": "2026-06.2"})
        assert "2026-06.1, which it had corrected, is served again" in ensure_problem(gone, 410)["detail"]
    copy.close()


def test_a_correction_replaces_a_withdrawn_release(deployment, tmp_path):
    copy = deployment.copy(tmp_path / "home")
    withdraw_release(copy, "2026-06.1")
    copy.release("moderation", "2026-06", correction="Two sellers' accounts are organisations.")
    with copy.client(copy.token()) as client:
        answer = client.get(AGGREGATES, params={"measure": "actions"}).json()
        assert answer["releases"] == ["2026-06.2"]
        gone = ensure_problem(
            client.get(AGGREGATES, params={"measure": "actions", "release": "2026-06.1"}), 410
        )
        assert gone["suggestions"] == ["2026-06.2"]
        assert "its successor is 2026-06.2" in gone["detail"]
        kinds = [(c["kind"], c["release"]) for c in client.get("/v1/errata").json()["errata"]]
        assert kinds == [("corrected", "2026-06.2"), ("withdrawn", "2026-06.1")]
        spent = client.get("/v1/ledger").json()["rho_spent"]
        assert float(spent["2026-06"]) == 2 * float(spent["2026-05"])
    copy.close()


def test_an_unsigned_erratum_is_not_published_but_its_release_is_not_served(deployment, tmp_path):
    copy = deployment.copy(tmp_path / "home")
    (copy.releases / "moderation" / "2026-05.1.erratum").write_text("x\n{}")
    with copy.client(copy.token()) as client:
        body = ensure_problem(client.get(AGGREGATES, params=MAY), 410, "release-withdrawn")
        assert "its erratum cannot be verified" in body["detail"]
    copy.close()


@pytest.mark.parametrize(
    ("release", "reason", "words"),
    [
        ("2026-05.1", REASON, "was withdrawn already"),
        ("2026-05.9", REASON, "moderation has no release '2026-05.9'"),
        ("../moderation/2026-05.1", REASON, "has no release"),
        ("2026-06.1", "wrong", "needs a reason"),
        ("2026-06.1", "Two lines\nare no sentence.", "needs a reason"),
        ("2026-06.1", "a" * 1001, "needs a reason"),
    ],
)
def test_a_refused_withdrawal_changes_nothing(withdrawn, release, reason, words):
    with pytest.raises(CannotWithdraw, match=words):
        withdraw_release(withdrawn, release, reason)
    assert not (withdrawn.releases / "moderation" / "2026-06.1.erratum").exists()


def test_a_withdrawal_is_in_the_audit_log(withdrawn):
    withdrawn.registry.audit.verify()
    with closing(sqlite3.connect(withdrawn.home / "registry.sqlite")) as registry:
        acts = registry.execute("SELECT subject FROM audit_event WHERE act = 'release.withdrawn'").fetchall()
    assert acts == [("moderation/2026-05.1",)]
