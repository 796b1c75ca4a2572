"""/v1/reports: the scope they need, their formats, and that the HTML page loads nothing from elsewhere."""

import csv
import io
import re
from html.parser import HTMLParser

import pytest

from datasets.reports.commitments import COMMITMENTS
from datasets.reports.official.parts import PARTS
from tests.api.conftest import ensure_problem, used


@pytest.fixture(scope="module")
def trustee(deployment):
    """A client that may read reports and nothing else."""
    token = deployment.token(deployment.project(frozenset({"reports:read"}), "extended"))
    with deployment.client(token, limit_open="100000/minute", limit_extended="100000/minute") as client:
        yield client


def test_reports_need_their_own_scope(deployment, trustee):
    assert trustee.get("/v1/reports").status_code == 200
    assert ensure_problem(
        trustee.get("/v1/datasets/moderation/aggregates?measure=actions"), 403, "out-of-scope"
    )
    other = deployment.token(deployment.project(frozenset({"moderation:read"})))
    with deployment.client(other) as client:
        for path in ("/v1/reports", "/v1/reports/2026-06", "/v1/reports/2026-06/4_notices"):
            problem = ensure_problem(client.get(path), 403, "out-of-scope")
            assert "may not read reports" in problem["detail"]
            assert "reports:read is needed" in problem["detail"]


def test_every_report_and_part_in_the_list_can_be_read(trustee):
    listed = trustee.get("/v1/reports").json()["periods"]
    assert [each["period"] for each in listed] == ["2026-H1", "2026-Q2", "2026-05", "2026-06"]
    for each in listed:
        assert trustee.get(each["report"]).status_code == 200
        assert len(each["parts"]) == 7
    for part in listed[-1]["parts"]:
        assert trustee.get(part).status_code == 200


def test_a_report_lists_its_releases_and_its_gaps(trustee):
    answer = trustee.get("/v1/reports/2026-Q2")
    report = answer.json()
    assert answer.headers["Data-Release"] == "moderation 2026-05.1, moderation 2026-06.1"
    by = {coverage["dataset"]: coverage for coverage in report["coverage"]}
    assert by["moderation"]["releases"] == ["2026-05.1", "2026-06.1"]
    assert by["moderation"]["missing"] == ["2026-04"]
    assert by["ads"]["sentence"] == "No release of ads covers 2026-Q2."
    assert [c["name"] for c in report["commitments"]] == [c.name for c in COMMITMENTS]
    ads = report["commitments"][5]
    assert all(i["value"] is None and i["status"] == "O" for i in ads["indicators"])
    assert ads["gaps"]


def test_an_indicator_is_the_answer_to_its_question(client, trustee):
    for commitment in trustee.get("/v1/reports/2026-06").json()["commitments"]:
        for indicator in commitment["indicators"]:
            if indicator.get("dataset") == "moderation":
                answer = client.get(f"/v1/datasets/moderation/aggregates?{indicator['question']}")
                assert answer.status_code == 200, answer.text
                (row,) = answer.json()["data"]
                assert indicator["value"] in row.values()
                assert answer.json()["releases"] == indicator["releases"]


def test_a_report_is_the_same_until_a_release_changes(trustee):
    for path in (
        "/v1/reports/2026-06",
        "/v1/reports/2026-06?format=html",
        "/v1/reports/2026-06/6_own_initiative_TC",
    ):
        first = trustee.get(path)
        assert trustee.get(path).content == first.content
        again = trustee.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
    tags = {trustee.get(f"/v1/reports/2026-06?format={f}").headers["ETag"] for f in ("json", "csv", "html")}
    assert len(tags) == 3


@pytest.mark.parametrize(
    ("accept", "kind"),
    [("*/*", "application/json"), ("text/csv", "text/csv"), ("text/html,*/*;q=0.8", "text/html")],
)
def test_accept_decides_the_format_of_a_report(trustee, accept, kind):
    answer = trustee.get("/v1/reports/2026-06", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith(kind)


class PageElements(HTMLParser):
    """The elements of a page with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def of(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def test_the_page_loads_nothing_runs_nothing_and_describes_each_chart_in_words(trustee):
    answer = trustee.get("/v1/reports/2026-06?format=html")
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; img-src data:"
    )
    page = PageElements(answer.text)
    assert not page.of("script") and not page.of("link") and not page.of("iframe")
    charts = page.of("img")
    assert len(charts) >= 20
    for chart in charts:
        assert chart["src"].startswith("data:image/svg+xml;base64,")
        assert chart["alt"].endswith(("the table beside it has every value.", "no value"))
    assert answer.text.count('<div class="pair"><img') == len(charts), "each chart has its table beside it"
    assert not re.search(r"\son\w+=", answer.text)
    for commitment in COMMITMENTS:
        assert f'id="{commitment.name}"' in answer.text
    assert "@page { size: A4" in answer.text


def test_a_part_is_the_official_csv(trustee):
    answer = trustee.get("/v1/reports/2026-06/6_own_initiative_TC")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="6_own_initiative_TC.csv"'
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert tuple(rows[0]) == PARTS["6_own_initiative_TC"].template.header
    as_json = trustee.get("/v1/reports/2026-06/6_own_initiative_TC?format=json").json()
    first = as_json["cells"][0]
    assert first["row"] == ["TOTAL"]
    assert str(first["printed"]) == rows[1][5]
    assert first["lo"] < first["value"] < first["hi"]
    assert as_json["notes"]


@pytest.mark.parametrize(
    ("path", "status", "name"),
    [
        ("/v1/reports/2026-13", 422, "malformed-period"),
        ("/v1/reports/latest", 422, "malformed-period"),
        ("/v1/reports/2031-Q1", 404, "report-not-covered"),
        ("/v1/reports/2026-06/4_notes", 404, "unknown-part"),
        ("/v1/reports/2026-06/9_human_resources", 404, "unknown-part"),
        ("/v1/reports/2026-06?measure=actions", 422, "unknown-parameter"),
        ("/v1/reports/2026-06?format=pdf", 422, "malformed-question"),
        ("/v1/reports/2026-06/4_notices?format=html", 422, "malformed-question"),
    ],
)
def test_a_report_that_does_not_exist_is_refused(trustee, path, status, name):
    ensure_problem(trustee.get(path), status, name)


def test_a_report_charges_one_row_for_each_indicator(deployment):
    token = deployment.token(deployment.project(frozenset({"reports:read"})))
    with deployment.client(token) as client:
        assert client.get("/v1/reports/2026-06?format=csv").status_code == 200
        assert used(client)["rows"] == sum(len(c.indicators) for c in COMMITMENTS)
