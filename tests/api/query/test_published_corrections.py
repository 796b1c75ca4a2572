"""What is published about withdrawn, corrected and cited releases: changelog, errata, ledger, differences, citations."""

import base64
import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import jwt
import pytest

from datasets.catalogue import find_dataset
from datasets.privacy.ledger import Caps, LedgerBroken
from datasets.release.format.ledger import entries_of, ledger_document
from datasets.release.format.signed import SignedDocument
from datasets.release.format.verification import ReleaseDamaged
from tests.api.query.corrections import REASON


def test_the_changelog_has_the_changes_and_the_errata_have_the_errors(reader):
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
def test_changelog_and_errata_are_also_atom_feeds(reader, path, how):
    answer = reader.get(path, **how)
    assert answer.headers["content-type"] == "application/atom+xml"
    space = {"a": "http://www.w3.org/2005/Atom"}
    feed = ET.fromstring(answer.content)
    entries = feed.findall("a:entry", space)
    names = [entry.findtext("a:id", "", space) for entry in entries]
    assert len(set(names)) == len(entries) == (3 if path == "/v1/changelog" else 1)
    assert all(name.startswith("urn:uuid:") for name in names)
    assert feed.findtext("a:updated", "", space) == entries[0].findtext("a:updated", None, space)
    assert entries[0].findtext("a:content", None, space) == REASON


def test_the_ledger_has_the_signed_bytes_and_a_verifiable_chain(reader):
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


def test_an_edited_ledger_is_refused(reader):
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


def test_a_difference_of_releases_has_the_changes_but_not_the_days(client):
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
    assert "DAYLIGHT" not in bibtex.text, "the name of a setting is no author"
    assert bibtex.text.count("{") == bibtex.text.count("}")
    query = answer["note"].split()[1].rstrip(";")
    assert query in bibtex.text
