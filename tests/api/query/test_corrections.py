"""What becomes of a release that was wrong: it is withdrawn with a reason, corrected, and nobody is left in the dark."""

import base64
import json
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import jwt
import pytest

from datasets.catalogue import find_dataset
from datasets.period import Month
from datasets.pipeline.operations.rollback import CannotRollBack, roll_back
from datasets.pipeline.operations.withdrawal import CannotWithdraw, withdraw
from datasets.pipeline.state.context import BuildContext
from datasets.pipeline.state.failpoints import armed_failpoints
from datasets.pipeline.state.ledger_store import LedgerStore
from datasets.pipeline.state.signing import ReleaseSigner
from datasets.privacy.ledger import Caps, LedgerBroken
from datasets.release.format.layout import rollback_files
from datasets.release.format.ledger import entries_of, ledger_document
from datasets.release.format.signed import SignedDocument
from datasets.release.format.verification import ReleaseDamaged
from tests.api.conftest import AGGREGATES, ensure_problem
from tests.deployment import mandate

REASON = "Two sellers' accounts were counted as persons."
MAY = {"measure": "actions", "period": "2026-05"}


def take_back(place, release, reason=REASON):
    def record(act, subject, why):
        place.registry.audit.record_release_event(act, subject, mandate())

    seal = ReleaseSigner(place.registry.keys.release_signer(), place.registry.keys.release_verifier(), record)
    declared, now = find_dataset("moderation"), datetime.now(UTC)
    ledger = LedgerStore(f"sqlite:///{place.home / 'ledger.sqlite'}")
    try:
        return withdraw(place.releases, ledger, declared, release, reason, seal, now)
    finally:
        ledger.close()


def go_back(place, release, reason=REASON):
    def record(act, subject, why):
        place.registry.audit.record_release_event(act, subject, mandate())

    seal = ReleaseSigner(place.registry.keys.release_signer(), place.registry.keys.release_verifier(), record)
    ledger = LedgerStore(f"sqlite:///{place.home / 'ledger.sqlite'}")
    try:
        context = BuildContext(place.releases, place.home / "private", ledger, seal)
        return roll_back(context, find_dataset("moderation"), Month.parse("2026-06"), release, reason)
    finally:
        ledger.close()


@pytest.fixture(scope="module")
def place(deployment, tmp_path_factory):
    """A copy of the deployment in which May was withdrawn."""
    copy = deployment.copy(tmp_path_factory.mktemp("corrected") / "home")
    assert take_back(copy, "2026-05.1") is None
    yield copy
    copy.close()


@pytest.fixture(scope="module")
def reader(place):
    with place.client(place.token(), limit_open="100000/minute") as client:
        yield client


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
def test_whoever_asks_for_what_was_withdrawn_is_told_why(reader, path, parameters):
    body = ensure_problem(reader.get(path, params=parameters), 410, "release-withdrawn")
    assert REASON in body["detail"]
    assert "it has no successor yet" in body["detail"]
    assert body["value"] == "2026-05.1"


def test_what_was_not_withdrawn_is_served_as_before(reader):
    assert reader.get(AGGREGATES, params={"measure": "actions"}).json()["releases"] == ["2026-06.1"]
    assert reader.get("/v1/datasets/moderation").json()["coverage"] == ["2026-06"]


def test_a_withdrawal_is_noticed_by_a_server_that_runs(deployment, tmp_path):
    copy = deployment.copy(tmp_path / "home")
    with copy.client(copy.token()) as client:
        assert client.get(AGGREGATES, params=MAY).status_code == 200
        take_back(copy, "2026-05.1")
        client.app.state.releases.refresh()
        ensure_problem(client.get(AGGREGATES, params=MAY), 410, "release-withdrawn")
        assert client.get("/readyz").json()["degraded"] == []
    copy.close()


def test_an_answer_is_not_given_once_its_release_is_withdrawn_however_short_a_time_ago(deployment, tmp_path):
    """Also where the server has not looked at the pointers since, and where the asker has the answer already."""
    copy = deployment.copy(tmp_path / "home")
    with copy.client(copy.token()) as client:
        client.app.state.releases.store.refresh_seconds = 1e9
        etag = client.get(AGGREGATES, params=MAY).headers["etag"]
        take_back(copy, "2026-05.1")
        ensure_problem(client.get(AGGREGATES, params=MAY), 410, "release-withdrawn")
        known = client.get(AGGREGATES, params=MAY, headers={"If-None-Match": etag})
        ensure_problem(known, 410, "release-withdrawn")
    copy.close()


def test_a_withdrawal_of_one_month_leaves_other_months_as_of_any_time(deployment, tmp_path):
    copy = deployment.copy(tmp_path / "home")
    before = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    time.sleep(1.1)
    take_back(copy, "2026-05.1")
    with copy.client(copy.token()) as client:
        after = client.get("/v1/errata").json()["errata"][0]["at"].replace("+00:00", "Z")
        for when in (before, after):
            june = {"measure": "actions", "period": "2026-06", "as_of": when}
            assert client.get(AGGREGATES, params=june).json()["releases"] == ["2026-06.1"]
        then = client.get(AGGREGATES, params={**MAY, "as_of": before})
        ensure_problem(then, 410, "release-withdrawn")
    copy.close()


def test_a_withdrawal_that_was_cut_off_half_way_is_finished_by_doing_it_again(corrected, tmp_path):
    copy = corrected.copy(tmp_path / "home")
    pointer = copy.releases / "moderation" / "2026-06.current"
    take_back(copy, "2026-06.2")
    assert pointer.read_text() == "2026-06.1\n"
    pointer.write_text("2026-06.2\n")  # as a crash before the pointer moved would have left it
    assert take_back(copy, "2026-06.2") == "2026-06.1"
    with copy.client(copy.token()) as client:
        assert client.get(AGGREGATES, params={"measure": "actions"}).json()["releases"] == ["2026-06.1"]
        gone = client.get(AGGREGATES, params={"measure": "actions", "release": "2026-06.2"})
        assert "2026-06.1, which it had corrected, is served again" in ensure_problem(gone, 410)["detail"]
    copy.close()


def test_a_correction_takes_the_place_of_what_was_withdrawn(deployment, tmp_path):
    copy = deployment.copy(tmp_path / "home")
    take_back(copy, "2026-06.1")
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


def test_an_erratum_that_is_not_signed_is_not_repeated_but_the_release_is_not_served(deployment, tmp_path):
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
def test_what_cannot_be_withdrawn_is_left_as_it_is(place, release, reason, words):
    with pytest.raises(CannotWithdraw, match=words):
        take_back(place, release, reason)
    assert not (place.releases / "moderation" / "2026-06.1.erratum").exists()


def test_the_changelog_says_what_happened_and_the_errata_what_was_wrong(reader):
    changes = reader.get("/v1/changelog").json()["changes"]
    assert [(c["kind"], c["release"]) for c in changes] == [
        ("withdrawn", "2026-05.1"), ("published", "2026-06.1"), ("published", "2026-05.1"),
    ]  # fmt: skip
    errata = reader.get("/v1/errata").json()["errata"]
    assert [(e["kind"], e["detail"]) for e in errata] == [("withdrawn", REASON)]


@pytest.mark.parametrize(
    "how", [{"params": {"format": "atom"}}, {"headers": {"Accept": "application/atom+xml"}}]
)
@pytest.mark.parametrize("path", ["/v1/changelog", "/v1/errata"])
def test_both_are_feeds_too(reader, path, how):
    answer = reader.get(path, **how)
    assert answer.headers["content-type"] == "application/atom+xml"
    space = {"a": "http://www.w3.org/2005/Atom"}
    feed = ET.fromstring(answer.content)
    entries = feed.findall("a:entry", space)
    names = [entry.find("a:id", space).text for entry in entries]
    assert len(set(names)) == len(entries) == (3 if path == "/v1/changelog" else 1)
    assert all(name.startswith("urn:uuid:") for name in names)
    assert feed.find("a:updated", space).text == entries[0].find("a:updated", space).text
    assert entries[0].find("a:content", space).text == REASON


def test_the_withdrawal_is_in_the_audit(place):
    place.registry.audit.verify()
    with closing(sqlite3.connect(place.home / "registry.sqlite")) as registry:
        acts = registry.execute("SELECT subject FROM audit_event WHERE act = 'release.withdrawn'").fetchall()
    assert acts == [("moderation/2026-05.1",)]


def test_the_ledger_is_the_bytes_that_were_signed_and_its_chain_can_be_checked(reader):
    answer = reader.get("/v1/ledger")
    keys = {key["kid"]: key for key in reader.get("/.well-known/jwks.json").json()["keys"]}
    head, _, signature = answer.headers["document-signature"].split(".")
    protected = json.loads(base64.urlsafe_b64decode(head + "=="))
    payload = base64.urlsafe_b64encode(answer.content).rstrip(b"=").decode()
    key = jwt.PyJWK(keys[protected["kid"]])
    jwt.PyJWS().decode(f"{head}.{payload}.{signature}", key, algorithms=["ES256"])
    ledger = answer.json()
    entries = entries_of(SignedDocument(answer.content, ""))
    assert ledger["head"] == entries[-1].hash == ledger["entries"][-1]["hash"]
    assert [entry["state"] for entry in ledger["entries"]] == ["reserved", "committed"] * 2
    assert set(ledger["rho_spent"]) == {"2026-05", "2026-06"}


def test_a_ledger_that_was_edited_is_refused(reader):
    entries = entries_of(SignedDocument(reader.get("/v1/ledger").content, ""))
    whole = ledger_document(entries, Caps())
    assert entries_of(SignedDocument(whole, "")) == entries
    for cut in (
        ledger_document(entries[1:], Caps()),
        whole.replace(b'"nano_rho": 1', b'"nano_rho": 0', 1),
        b"[]",
    ):
        with pytest.raises((ReleaseDamaged, LedgerBroken)):
            entries_of(SignedDocument(cut, ""))


def test_a_difference_of_releases_says_what_changed_but_not_the_days(client):
    found = client.get("/v1/releases/moderation/2026-05.1/diff/2026-06.1").json()
    assert (found["from"], found["to"]) == ("2026-05.1", "2026-06.1")
    assert found["codebook"] == []
    places = {change["place"] for change in found["manifest"]}
    assert all("residuals" in place for place in places)  # months of 31 and 30 days need other noise
    same = client.get("/v1/releases/moderation/2026-06.1/diff/2026-06.1").json()
    assert same["manifest"] == same["codebook"] == []


def test_a_difference_of_releases_names_another_version_of_the_declaration(deployment, tmp_path, monkeypatch):
    copy = deployment.copy(tmp_path / "home")
    declared = find_dataset("moderation")
    later = replace(declared, version=declared.version + 1)
    monkeypatch.setattr("tests.deployment.find_dataset", lambda name: later)
    copy.release("moderation", "2026-06", correction="Codes were added.", rows=2_000)
    with copy.client() as client:
        found = client.get("/v1/releases/moderation/2026-06.1/diff/2026-06.2").json()
    changed = {"before": declared.version, "after": later.version}
    assert {"place": "dataset_version", **changed} in found["manifest"]
    assert {"place": "version", **changed} in found["codebook"]
    assert found["correction"] == "Codes were added."
    copy.close()


def test_a_release_and_an_answer_can_be_cited(anonymous):
    release = anonymous.get("/v1/releases/moderation/2026-06.1/citation").json()[0]
    assert release["type"] == "dataset"
    assert release["version"] == "2026-06.1"
    asked = {"measure": "actions", "group_by": "category", "period": "2026-06"}
    answer = anonymous.get("/v1/datasets/moderation/citation", params=asked).json()[0]
    assert answer["URL"].endswith(
        "/aggregates?measure=actions&group_by=category&period=2026-06&release=2026-06.1"
    )
    bibtex = anonymous.get("/v1/datasets/moderation/citation", params=asked | {"format": "bibtex"})
    assert bibtex.headers["content-type"].startswith("application/x-bibtex")
    assert bibtex.text.startswith("@misc{daylight-moderation-2026-06-1-")
    assert bibtex.text.count("{") == bibtex.text.count("}")
    query = answer["note"].split()[1].rstrip(";")
    assert query in bibtex.text


def test_a_month_that_went_back_to_an_earlier_release_says_so(corrected, tmp_path):
    copy = corrected.copy(tmp_path / "home")
    with copy.client(copy.token()) as client:
        between = datetime.now(UTC)
        time.sleep(1.1)
        go_back(copy, "2026-06.1")
        client.app.state.releases.refresh()
        asked = {"measure": "actions", "period": "2026-06"}
        assert client.get(AGGREGATES, params=asked).json()["releases"] == ["2026-06.1"]
        set_aside = client.get(AGGREGATES, params={"measure": "actions", "release": "2026-06.2"})
        assert set_aside.json()["releases"] == ["2026-06.2"]
        then = client.get(AGGREGATES, params=asked | {"as_of": f"{between:%Y-%m-%dT%H:%M:%SZ}"})
        assert then.json()["releases"] == ["2026-06.2"]
        latest = client.get("/v1/changelog").json()["changes"][0]
        assert (latest["kind"], latest["release"]) == ("rolled back", "2026-06.1")
        assert latest["detail"] == f"current again instead of 2026-06.2: {REASON}"
        assert client.get("/v1/errata", params={"format": "atom"}).text.count("rolled back") == 1
        assert client.get("/readyz").json()["degraded"] == []
        back = datetime.fromisoformat(latest["at"])
        now = client.get(AGGREGATES, params=asked | {"as_of": f"{back:%Y-%m-%dT%H:%M:%SZ}"})
        assert now.json()["releases"] == ["2026-06.1"]
        both = {"measure": "actions", "group_by": "period", "period": "2026-05..2026-06"}
        (cited,) = client.get("/v1/datasets/moderation/citation", params=both).json()
        assert cited["URL"].endswith(f"&as_of={back:%Y-%m-%dT%H:%M:%SZ}")
        assert client.get(urlsplit(cited["URL"]).path + "?" + urlsplit(cited["URL"]).query).json()[
            "releases"
        ] == ["2026-05.1", "2026-06.1"]
        later = client.get(
            AGGREGATES, params=asked | {"as_of": f"{back + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"}
        )
        assert "is not over yet, so its answer could still change" in later.json()["detail"]
    with closing(sqlite3.connect(copy.home / "registry.sqlite")) as registry:
        acts = registry.execute(
            "SELECT subject FROM audit_event WHERE act = 'release.rolled-back'"
        ).fetchall()
    assert acts == [("moderation/2026-06.1",)]
    for release, words in [("2026-06.1", "is current already"), ("2026-05.1", "is no release of 2026-06")]:
        with pytest.raises(CannotRollBack, match=words):
            go_back(copy, release)
    take_back(copy, "2026-06.2")
    with pytest.raises(CannotRollBack, match="was withdrawn and is not served again"):
        go_back(copy, "2026-06.2")
    copy.close()


def test_a_rollback_that_was_cut_off_half_way_is_finished_by_doing_it_again(corrected, tmp_path):
    copy = corrected.copy(tmp_path / "home")
    with pytest.raises(CannotWithdraw, match="needs a reason"):
        go_back(copy, "2026-06.1", "worse")

    def stop(place):
        if place == "pointer written":
            raise OSError(28, "No space left on device")

    with armed_failpoints(stop), pytest.raises(OSError, match="No space"):
        go_back(copy, "2026-06.1")
    pointer = copy.releases / "moderation" / "2026-06.current"
    assert pointer.read_text() == "2026-06.2\n"
    go_back(copy, "2026-06.1")
    assert pointer.read_text() == "2026-06.1\n"
    assert [path.name for path in rollback_files(copy.releases, "moderation")] == ["2026-06.rollback-1"]
    copy.close()
