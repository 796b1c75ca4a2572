"""What needs no token: the catalogue, codebooks, code lists, manifests with signatures, keys, health, the description."""

import base64
import csv
import io
import json

import jwt
import pytest

from api.settings import ApiSettings
from datasets.catalogue import DATASETS
from tests.api.access.test_rate_limits import addresses
from tests.api.conftest import AGGREGATES, ensure_problem


def test_only_questions_reports_and_files_need_a_token(anonymous):
    for path in addresses(anonymous):
        wanted = (
            401
            if path.endswith(("/aggregates", "/plan", "/files/cells.parquet", "/v1/me", "/v1/me/usage"))
            or path.startswith(("/v1/admin", "/v1/reports"))
            else 200
        )
        if path.endswith("/citation") and "/datasets/" in path:
            wanted = 422 if "moderation" in path else 404
        assert anonymous.get(path).status_code == wanted, path


def test_the_overview_names_the_contact_point_and_the_portal(anonymous):
    settings = anonymous.app.state.settings
    service = anonymous.get("/v1").json()
    assert service["contact"] == settings.contact != ""
    assert service["portal"] == settings.portal_url
    assert service["portal"].startswith("https://")


def test_without_a_contact_point_its_reader_is_told_so_and_asked_for_no_setting(monkeypatch):
    monkeypatch.delenv("DAYLIGHT_CONTACT", raising=False)
    assert ApiSettings().contact == "The publisher has not named a contact point here"


def test_every_link_in_the_overview_can_be_followed(anonymous):
    service = anonymous.get("/v1").json()
    assert {entry["name"] for entry in service["datasets"]} == {dataset.name for dataset in DATASETS}
    links = [
        *service["links"].values(),
        *(link for entry in service["datasets"] for link in entry["links"].values()),
    ]
    for link in links:
        asked = {"measure": "actions"} if link.endswith("/citation") else {}
        assert anonymous.get(link, params=asked).status_code in {200, 401, 404}, link


def test_the_overview_links_to_every_address_of_researchers_or_to_one_above_it(anonymous):
    """/metrics and /v1/admin are for operators and admins."""
    links = set(anonymous.get("/v1").json()["links"].values())
    paths = {
        path
        for path, operations in anonymous.get("/openapi.json").json()["paths"].items()
        if "get" in operations and "{" not in path and not path.startswith(("/v1/admin/", "/metrics"))
    }
    assert len(paths) > len(links) > 10
    above = {path for path in paths if any(path.startswith(f"{link}/") for link in links)}
    assert paths - above - links == {"/v1"}


def test_the_entry_of_a_dataset_has_its_privacy_cost_and_coverage(anonymous):
    card = anonymous.get("/v1/datasets/moderation").json()
    assert card["coverage"] == ["2026-05", "2026-06"]
    assert card["privacy"]["rho_per_month"]
    assert card["modality"]["name"] == "token_aggregates"
    assert all(risk["risk_law"].startswith("Art. 34(1)") for risk in card["risks"])
    assert all(risk["measure_law"].startswith("Art. 35(1)") for risk in card["risks"])
    assert card["volume"]["cells_per_release"]["2026-06.1"] > 10_000
    assert {d["type"] for d in card["dimensions"]} == {"code", "date"}
    assert [entry["name"] for entry in anonymous.get("/v1/datasets").json()["datasets"]] == [
        d.name for d in DATASETS
    ]


def test_the_catalogue_is_an_html_page_for_browsers(anonymous):
    shown = anonymous.get("/v1/datasets", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    for dataset in DATASETS:
        assert f'id="{dataset.name}"' in shown.text
        assert all(f"<td>{measure.name}</td>" in shown.text for measure in dataset.measures)
    assert "<script" not in shown.text
    assert anonymous.get("/v1/datasets", headers={"Accept": "*/*"}).json()["datasets"]


@pytest.mark.parametrize("dataset", [dataset.name for dataset in DATASETS])
def test_a_codebook_explains_every_code_with_its_source(anonymous, dataset):
    book = anonymous.get(f"/v1/datasets/{dataset}/codebook").json()
    for dimension in book["dimensions"]:
        for level in dimension["levels"]:
            assert level["title"]
            assert all(code["label"] for code in level["codes"])


def test_a_manifest_is_the_bytes_that_were_signed(deployment, anonymous):
    """Verified with another library, from published data only."""
    answer = anonymous.get("/v1/releases/moderation/2026-06.1")
    keys = {key["kid"]: key for key in anonymous.get("/.well-known/jwks.json").json()["keys"]}
    head, empty, signature = answer.headers["manifest-signature"].split(".")
    assert empty == ""
    kid = json.loads(base64.urlsafe_b64decode(head + "=="))["kid"]
    assert "d" not in keys[kid]
    whole = f"{head}.{base64.urlsafe_b64encode(answer.content).rstrip(b'=').decode()}.{signature}"
    assert jwt.PyJWS().decode(whole, jwt.PyJWK(keys[kid]).key, algorithms=["ES256"]) == answer.content
    forged = answer.content.replace(b"2026-06", b"2026-07")
    whole = f"{head}.{base64.urlsafe_b64encode(forged).rstrip(b'=').decode()}.{signature}"
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.PyJWS().decode(whole, jwt.PyJWK(keys[kid]).key, algorithms=["ES256"])


def test_a_manifest_lists_every_variance_and_every_file_with_its_hash(anonymous):
    manifest = anonymous.get("/v1/releases/moderation/2026-06.1").json()
    assert {file["name"] for file in manifest["files"]} == {"cells.parquet", "codebook.json"}
    for measure in manifest["measures"]:
        assert all(residual["variance"] > 0 for residual in measure["residuals"])


def test_metadata_has_an_etag_too(anonymous):
    first = anonymous.get("/v1/codelists/category")
    assert (
        anonymous.get("/v1/codelists/category", headers={"If-None-Match": first.headers["etag"]}).status_code
        == 304
    )


def test_a_healthy_service_is_ready(anonymous):
    assert anonymous.get("/healthz").json() == {"status": "ok"}
    assert anonymous.get("/readyz").json() == {"status": "ok", "degraded": []}


def test_a_damaged_release_is_not_served_and_is_listed_as_degraded(deployment, tmp_path):
    other = deployment.copy(tmp_path / "other")
    text = other.token()
    cells = other.releases / "moderation" / "2026-06.1" / "cells.parquet"
    whole = bytearray(cells.read_bytes())
    whole[len(whole) // 2] ^= 1
    cells.write_bytes(whole)
    with other.client(text) as client:
        answer = client.get(AGGREGATES, params={"measure": "actions"})
        assert answer.headers["data-release"] == "2026-05.1"
        degraded = client.get("/readyz").json()["degraded"]
        assert len(degraded) == 1
        assert "2026-06" in degraded[0]
        ensure_problem(client.get(AGGREGATES, params={"measure": "actions", "period": "2026-06"}), 422)
    other.close()


def test_a_service_that_can_serve_no_release_is_not_ready(deployment, tmp_path):
    other = deployment.copy(tmp_path / "other")
    for cells in other.releases.glob("*/*/cells.parquet"):
        cells.write_bytes(b"")
    with other.client() as client:
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert answer.json()["status"] == "releases unavailable"
        assert answer.json()["degraded"]
    other.close()


def test_a_new_release_is_served_without_a_restart(deployment, tmp_path):
    other = deployment.copy(tmp_path / "other")
    with other.client(other.token()) as client:
        assert client.get(AGGREGATES, params={"measure": "actions"}).headers["data-release"] == "2026-06.1"
        other.release("moderation", "2026-07", rows=2_000)
        client.app.state.releases.store.refresh()
        assert client.get(AGGREGATES, params={"measure": "actions"}).headers["data-release"] == "2026-07.1"
    other.close()


@pytest.mark.parametrize(
    "path",
    ["/v1", "/v1/datasets", "/v1/datasets/ads", "/v1/releases", "/v1/codelists", "/problems", "/healthz"],
)
def test_an_unknown_parameter_is_refused_on_every_route(anonymous, path):
    body = ensure_problem(anonymous.get(f"{path}?serach=x"), 422, "unknown-parameter")
    assert body["parameter"] == "serach"


def test_a_code_list_can_be_searched(anonymous):
    found = anonymous.get("/v1/codelists/keyword", params={"search": "TRADEMARK"}).json()["codes"]
    assert [code["code"] for code in found] == ["TRADEMARK_INFRINGEMENT"]
    assert anonymous.get("/v1/codelists/keyword", params={"search": "nothing at all"}).json()["codes"] == []
    body = ensure_problem(anonymous.get("/v1/codelists/keyword?serach=x"), 422, "unknown-parameter")
    assert "Did you mean search" in body["detail"]
    ensure_problem(anonymous.get("/v1/codelists/keyword?search=x&search=y"), 422, "repeated-parameter")


def test_a_codebook_has_the_formats_json_csv_and_markdown(anonymous):
    path = "/v1/datasets/moderation/codebook"
    book = anonymous.get(path).json()
    codes = [code["code"] for d in book["dimensions"] for level in d["levels"] for code in level["codes"]]
    lines = list(csv.DictReader(io.StringIO(anonymous.get(f"{path}?format=csv").text)))
    assert [line["code"] for line in lines] == codes
    markdown = anonymous.get(f"{path}?format=md")
    assert markdown.headers["content-type"].startswith("text/markdown")
    assert all(f"| `{code}` |" in markdown.text for code in codes)
    ensure_problem(anonymous.get(f"{path}?format=xml"), 422, "malformed-question")


def test_a_codebook_has_the_kept_share_of_each_code(anonymous):
    path = "/v1/datasets/moderation/codebook"
    (kept,) = [
        m["kept"] for m in anonymous.get("/v1/releases/moderation/2026-06.1").json()["measures"] if m["kept"]
    ]
    assert anonymous.get(path).json()["kept"] == {"actions": kept}
    lines = {
        (line["level"], line["code"]): line
        for line in csv.DictReader(io.StringIO(anonymous.get(f"{path}?format=csv").text))
    }
    for code, share in kept["by"]["category"].items():
        line = lines["category", code]
        written = [line[f"actions_kept{end}"] for end in ("", "_lo", "_hi")]
        assert written == ["" if n is None else str(n) for n in (share["share"], share["lo"], share["hi"])]
    assert all(line["actions_kept"] == "" for (level, _), line in lines.items() if level == "keyword")
    markdown = anonymous.get(f"{path}?format=md").text
    overall = kept["overall"]["share"]
    assert f"Kept of `actions`: {'lost in noise' if overall is None else f'{overall:.1%}'}" in markdown
