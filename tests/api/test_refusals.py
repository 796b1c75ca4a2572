"""Bad input is refused in one clear sentence with the parameter, the value and what would be right, without internals."""

import time
from urllib.parse import quote

import httpx2
import pytest

from tests.api.conftest import AGGREGATES, ensure_problem
from tests.live import running_server
from tests.waiting import PATIENCE

GOOD = {"measure": "actions"}


@pytest.mark.parametrize(
    ("changes", "name", "parameter", "words"),
    [
        ({"measure": "action"}, "unknown-measure", "measure", "Did you mean actions"),
        ({"measure": ""}, "malformed-question", "measure", "measure"),
        ({"group_by": "categroy"}, "unknown-level", "group_by", "Did you mean category"),
        ({"category": "SCAMS"}, "unknown-code", "category", "SCAMS_AND_FRAUD"),
        ({"member_state": "EL"}, "unknown-code", "member_state", "EL"),
        ({"categroy": "VIOLENCE"}, "unknown-parameter", "categroy", "Did you mean category"),
        ({"period": "2026-13"}, "malformed-period", "period", "2026-13"),
        ({"period": "2026-02-30"}, "malformed-period", "period", "2026-02-30"),
        ({"period": "June"}, "malformed-period", "period", "2026-06-01"),
        ({"period": "2026-06..2026-05"}, None, "period", "2026-05"),
        ({"period": "2031-01"}, "period-not-released", "period", "2026-06"),
        ({"freq": "hour"}, "malformed-question", "freq", "day"),
        ({"format": "xml"}, "malformed-question", "format", "json or ndjson or csv or parquet or arrow"),
        ({"release": "2026-06"}, None, "release", "2026-06.1"),
        ({"group_by": "category,member_state,restriction"}, "not-published", "group_by", "published"),
        ({"group_by": "category,keyword"}, "malformed-question", "group_by", "finer"),
        ({"fromat": "csv"}, "unknown-parameter", "fromat", "Did you mean format"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(client, changes, name, parameter, words):
    answer = client.get(AGGREGATES, params={**GOOD, **changes})
    body = ensure_problem(answer, answer.status_code, name)
    assert answer.status_code in {404, 422}
    assert body["parameter"] == parameter
    assert words in body["detail"]


def test_a_question_without_a_measure_names_the_measures(client):
    body = ensure_problem(client.get(AGGREGATES), 422)
    assert "actions" in body["detail"]
    assert "accounts" in body["detail"]


@pytest.mark.parametrize(
    "twice", ["measure=accounts", "measure=actions", "format=csv&format=csv", "format=csv&format=json"]
)
def test_a_parameter_given_twice_is_refused(client, twice):
    ensure_problem(client.get(f"{AGGREGATES}?measure=actions&{twice}"), 422, "repeated-parameter")


def test_a_cuboid_that_is_not_published_is_refused_with_the_nearest_that_are(client):
    question = {"measure": "actions", "group_by": "category,member_state,restriction"}
    body = ensure_problem(client.get(AGGREGATES, params=question), 422, "not-published")
    assert "category" in " ".join(body["allowed"] + body.get("suggestions", [])) + body["detail"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/datasets/moderatoin/aggregates?measure=actions", 404),
        ("/v1/datasets/moderatoin", 404),
        ("/v1/codelists/categroy", 404),
        ("/v1/releases/moderation/2026-07.1", 404),
        ("/v1/releases/moderation/..%2f..%2f..", 404),
        ("/v1/nothing", 404),
        ("/v1/datasets/", 404),
        ("/problems/nothing", 404),
        ("//v1", 404),
    ],
)
def test_an_unknown_address_is_a_problem(client, path, status):
    ensure_problem(client.get(path), status)


def test_an_accept_field_without_a_known_format_is_refused(client):
    body = ensure_problem(client.get(AGGREGATES, params=GOOD, headers={"Accept": "application/xml"}), 406)
    assert "text/csv" in body["allowed"]


def test_an_over_long_query_is_refused(client):
    ensure_problem(client.get(f"{AGGREGATES}?measure={'a' * 9000}"), 414, "too-long")


NASTY = [
    "\x00", "actions\x00", "a" * 7000, "'; DROP TABLE cells; --", '" OR 1=1 --', "1 UNION SELECT * FROM cells", "../../etc/passwd",
    "Infinity", "NaN", "-1", "1e400", "%", "*", "\ud7ff\uffff", "𝒶𝒸𝓉𝒾ℴ𝓃𝓈", "ne:", ",", "..", "2026-06..", "a,b,c,d,e,f", " actions ",
    "${jndi:ldap://x}", "{{7*7}}", "<script>alert(1)</script>", "\r\nSet-Cookie: a=b", ",".join(["DE"] * 1000),
]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "measure",
        "group_by",
        "period",
        "freq",
        "level",
        "ratio",
        "share",
        "compare",
        "release",
        "as_of",
        "confidence",
        "labels",
        "shape",
        "sort",
        "limit",
        "cursor",
        "format",
        "category",
        "unheard",
    ],  # fmt: skip
)
@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
def test_hostile_values_of_any_parameter_are_refused(client, name, value):
    started = time.process_time()
    answer = client.get(AGGREGATES, params={**GOOD, name: value})
    assert time.process_time() - started < 2, "seconds of CPU"
    body = ensure_problem(answer, answer.status_code)
    assert answer.status_code in {404, 414, 422}, answer.text
    assert "\n" not in body["detail"]
    assert len(body["detail"]) < 1500


@pytest.mark.parametrize(
    "query",
    [
        "measure",
        "measure=%ff",
        "measure=%ed%a0%80",
        "&".join(f"a{n}=1" for n in range(100)),
        "=",
        "measure=actions&&",
    ],
)
def test_a_malformed_query_is_refused(client, query):
    answer = client.get(f"{AGGREGATES}?{query}")
    ensure_problem(answer, answer.status_code)
    assert answer.status_code in {400, 422}


@pytest.mark.parametrize("parameters", [{"dataset": "'; --"}, {"dataset": "\x00"}, {"dataset": "a" * 4000}])
def test_hostile_paths_are_refused(client, parameters):
    ensure_problem(client.get(f"/v1/datasets/{quote(parameters['dataset'], safe='')}"), 404)


def test_a_500_tells_nothing_about_the_exception(deployment, token, monkeypatch, caplog):
    monkeypatch.setattr("api.query.results.etag_of", lambda *_: 1 / 0)
    with running_server(deployment) as url:
        answer = httpx2.get(
            f"{url}{AGGREGATES}", params=GOOD, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE
        )
    assert "division" not in answer.text
    instance = ensure_problem(answer, 500, "internal-server-error")["instance"]
    (record,) = [record for record in caplog.records if record.exc_info]
    assert instance.rpartition(":")[2] in record.getMessage()
    assert "division by zero" in str(record.exc_info[1])


def test_a_fault_outside_every_route_is_answered_by_500_without_internals(deployment, token, monkeypatch):
    with deployment.client(token) as client:
        monkeypatch.setattr("api.access.rate_limits.RateLimits.headers", lambda *_: 1 / 0)
        body = ensure_problem(client.get(AGGREGATES, params=GOOD), 500, "internal-server-error")
        assert "division" not in str(body)


@pytest.mark.parametrize(
    "value", [*NASTY, "a" * 10_000, ",".join(["DE"] * 10_000)], ids=range(len(NASTY) + 2)
)
def test_hostile_values_in_a_body_are_refused(client, value):
    for name in (
        "measure",
        "group_by",
        "period",
        "ratio",
        "share",
        "compare",
        "release",
        "as_of",
        "sort",
        "cursor",
        "category",
    ):
        started = time.process_time()
        answer = client.post(AGGREGATES, json={**GOOD, name: value})
        assert time.process_time() - started < 2, "seconds of CPU"
        body = ensure_problem(answer, answer.status_code)
        assert answer.status_code in {404, 422}, answer.text
        assert len(body["detail"]) < 1500


@pytest.mark.parametrize(
    "body",
    [
        rb'{"measure": "actions", "WORD": "\ud800"}',
        rb'{"measure": "actions", "\ud800": "x"}',
        rb'{"measure": ["\udfff"]}',
    ],
)
def test_half_a_surrogate_pair_is_refused_in_every_parameter(client, body):
    for word in (b"cursor", b"measure2", b"period", b"as_of", b"sort", b"share", b"category", b"format"):
        ensure_problem(client.post(AGGREGATES, content=body.replace(b"WORD", word)), 400, "malformed")
