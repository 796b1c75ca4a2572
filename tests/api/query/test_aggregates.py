"""The answers that a researcher gets."""

import csv
import io
import math

import pyarrow.parquet as pq
import pytest

from tests.api.conftest import AGGREGATES, ensure_problem


def test_every_row_has_value_error_interval_and_status(ask):
    answer = ask(measure="actions", group_by="category", period="2026-06")
    assert [column["name"] for column in answer["columns"]] == list(answer["data"][0])
    for row in answer["data"]:
        assert row["actions_lo"] < row["actions"] < row["actions_hi"]
        assert row["actions_hi"] - row["actions_lo"] == pytest.approx(
            2 * 1.959964 * row["actions_se"], rel=1e-5
        )
        assert row["actions_status"] in {"A", "U"}


def test_every_code_of_the_list_has_a_row(client, ask):
    codes = client.get("/v1/codelists/category").json()["codes"]
    rows = ask(measure="accounts", group_by="category", period="2026-06")["data"]
    assert [row["category"] for row in rows] == [code["code"] for code in codes]


def test_the_answer_is_what_the_release_says(deployment, ask):
    table = pq.read_table(deployment.releases / "moderation" / "2026-06.1" / "cells.parquet").to_pylist()
    released = {row["category"]: row for row in table if row["cuboid"] == "category"}
    for row in ask(measure="actions,accounts", group_by="category", period="2026-06")["data"]:
        for name in ("actions", "accounts", "actions_se", "accounts_se"):
            assert row[name] == pytest.approx(released[row["category"]][name], abs=1e-9)


def test_a_negative_number_is_served_as_it_was_released(deployment, ask):
    table = pq.read_table(deployment.releases / "moderation" / "2026-06.1" / "cells.parquet").to_pylist()
    released = {row["keyword"]: row["actions"] for row in table if row["cuboid"] == "keyword"}
    answered = {
        row["keyword"]: row["actions"]
        for row in ask(measure="actions", group_by="keyword", period="2026-06")["data"]
    }
    assert min(released.values()) < 0
    assert answered == pytest.approx(released, abs=1e-6)


def test_answers_from_different_cuboids_agree(ask):
    """The sums over a second dimension are the numbers that are published without it."""
    alone = {
        r["category"]: r["accounts"]
        for r in ask(measure="accounts", group_by="category", period="2026-06")["data"]
    }
    deeper = [{"group_by": f"category,{other}"} for other in ("member_state", "restriction", "actor_role")]
    for grouping in (*deeper, {"group_by": "category", "freq": "day"}):
        sums = dict.fromkeys(alone, 0.0)
        for row in ask(measure="accounts", period="2026-06", **grouping)["data"]:
            sums[row["category"]] += row["accounts"] or 0.0
        assert sums == pytest.approx(alone, abs=1e-6)


def test_keywords_add_up_to_their_category(client, ask):
    parent = {code["code"]: code["within"] for code in client.get("/v1/codelists/keyword").json()["codes"]}
    alone = {
        r["category"]: r["actions"]
        for r in ask(measure="actions", group_by="category", period="2026-06")["data"]
    }
    sums = dict.fromkeys(alone, 0.0)
    for row in ask(measure="actions", group_by="keyword", period="2026-06")["data"]:
        sums[parent[row["keyword"]]] += row["actions"]
    assert sums == pytest.approx(alone, abs=1e-6)


def test_months_add_up(ask):
    by_month = ask(measure="actions", freq="month", period="2026-05..2026-06")["data"]
    (both,) = ask(measure="actions", period="2026-05..2026-06")["data"]
    assert [row["period"] for row in by_month] == ["2026-05", "2026-06"]
    assert both["actions"] == pytest.approx(sum(row["actions"] for row in by_month), abs=1e-6)
    assert both["actions_se"] == pytest.approx(math.hypot(*(row["actions_se"] for row in by_month)), rel=1e-9)


def test_csv_and_json_hold_the_same(client):
    question = {"measure": "actions", "group_by": "category,automated_detection", "period": "2026-06"}
    as_json = client.get(AGGREGATES, params=question).json()["data"]
    by_parameter = client.get(AGGREGATES, params={**question, "format": "csv"})
    by_accept = client.get(AGGREGATES, params=question, headers={"Accept": "text/csv"})
    assert by_parameter.content == by_accept.content
    assert by_parameter.headers["content-type"].startswith("text/csv")
    read = list(csv.DictReader(io.StringIO(by_parameter.text)))
    assert [{k: str(v) for k, v in row.items()} for row in as_json] == [dict(row) for row in read]


def test_the_same_question_has_the_same_bytes_for_everybody(deployment, client):
    other = deployment.token()
    ways = (
        {"measure": "actions", "group_by": "category", "period": "2026-06", "member_state": "DE,FR"},
        {"member_state": "FR,DE", "period": "2026-06", "group_by": "category", "measure": "actions"},
    )
    mine = [client.get(AGGREGATES, params=way) for way in ways]
    theirs = client.get(AGGREGATES, params=ways[0], headers={"Authorization": f"Bearer {other}"})
    assert len({answer.content for answer in (*mine, theirs)}) == 1
    assert len({answer.headers["etag"] for answer in (*mine, theirs)}) == 1


def test_another_question_release_format_or_encoding_has_another_etag(client):
    question = {"measure": "actions", "period": "2026-06", "format": "json"}
    others = ({"group_by": "category"}, {"period": "2026-05"}, {"release": "2026-06.1"}, {"format": "csv"})
    answers = [client.get(AGGREGATES, params=question | other) for other in ({}, *others)]
    packed = client.get(AGGREGATES, params=question, headers={"Accept-Encoding": "gzip"})
    plain = client.get(AGGREGATES, params=question, headers={"Accept-Encoding": "identity"})
    etags = {answer.headers["etag"] for answer in (*answers[1:], packed, plain)}
    assert len(etags) == len(others) + 2


def test_an_answer_that_the_client_has_is_not_sent_again(client):
    question = {"measure": "actions", "group_by": "category"}
    first = client.get(AGGREGATES, params=question)
    again = client.get(AGGREGATES, params=question, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = client.get(AGGREGATES, params=question, headers={"If-None-Match": '"something"'})
    assert other.status_code == 200


def test_head_has_the_fields_of_get_and_no_body(client):
    question = {"measure": "actions", "group_by": "category"}
    full, head = client.get(AGGREGATES, params=question), client.head(AGGREGATES, params=question)
    assert (head.status_code, head.content) == (200, b"")
    for field in ("etag", "content-type", "content-length", "data-release", "x-query-id"):
        assert head.headers[field] == full.headers[field]


def test_options_lists_the_allowed_methods(client):
    answer = client.options(AGGREGATES)
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")


def test_another_method_is_refused(client):
    answer = client.delete(AGGREGATES)
    ensure_problem(answer, 405)
    assert answer.headers["allow"] == "GET, POST"


def test_a_result_names_its_releases_cuboids_and_bounds(client):
    answer = client.get(
        AGGREGATES, params={"measure": "actions", "group_by": "category", "period": "2026-06"}
    )
    body = answer.json()
    assert body["releases"] == ["2026-06.1"]
    assert answer.headers["data-release"] == "2026-06.1"
    assert answer.headers["x-query-id"] == body["query_id"]
    assert body["uncertainty"]["confidence"] == 0.95
    assert "noise" in str(body["uncertainty"]).lower()
    (bounding,) = [
        entry for entry in _entries(body["bounding"]) if entry.get("measure", "actions") == "actions"
    ]
    assert bounding["rows_per_unit"] == 20


def _entries(found):
    return found if isinstance(found, list) else [{"measure": name, **entry} for name, entry in found.items()]


def test_every_answer_has_its_request_id_and_the_expiry_of_the_token(client):
    one, two = (client.get(AGGREGATES, params={"measure": "actions"}) for _ in range(2))
    assert one.headers["x-request-id"] != two.headers["x-request-id"]
    assert one.headers["x-token-expires"] > "2026"
    assert one.headers["cache-control"].startswith("private")
    assert "authorization" in one.headers["vary"].lower()


def test_a_past_release_can_be_asked_by_name(ask):
    assert ask(measure="actions", release="2026-05.1")["releases"] == ["2026-05.1"]


def test_a_plan_has_the_promised_standard_errors_and_no_number(client, ask):
    question = {"measure": "actions,accounts", "group_by": "category", "period": "2026-06"}
    answer = client.get(AGGREGATES.replace("aggregates", "plan"), params=question)
    assert answer.status_code == 200
    plan, asked = answer.json(), ask(**question)
    assert plan["rows"] == len(asked["data"])
    assert plan["query_id"] == asked["query_id"]
    assert plan["measures"]["actions"]["standard_error"]["most"] == pytest.approx(
        asked["data"][0]["actions_se"]
    )
    numbers = {row[name] for row in asked["data"] for name in ("actions", "accounts")}
    assert not any(str(number) in answer.text for number in numbers)
    deeper = {"measure": "actions", "group_by": "category,member_state,restriction"}
    ensure_problem(client.get(AGGREGATES.replace("aggregates", "plan"), params=deeper), 422, "not-published")


@pytest.mark.parametrize(
    ("body", "query"),
    [
        (
            {"measure": ["actions", "accounts"], "group_by": "category"},
            "measure=actions,accounts&group_by=category",
        ),
        (
            {"measure": "actions", "member_state": ["DE", "FR"], "period": "2026-06"},
            "measure=actions&member_state=DE,FR&period=2026-06",
        ),
        (
            {"measure": "actions", "confidence": 0.9, "format": "csv"},
            "measure=actions&confidence=0.9&format=csv",
        ),
    ],
)
def test_a_question_in_a_body_has_the_same_bytes_as_in_a_url(client, body, query):
    asked, written = client.post(AGGREGATES, json=body), client.get(f"{AGGREGATES}?{query}")
    assert (asked.status_code, asked.content) == (200, written.content)
    assert asked.headers["etag"] == written.headers["etag"]
    known = client.post(AGGREGATES, json=body, headers={"If-None-Match": written.headers["etag"]})
    assert known.status_code == 200


BODIES = [
    (b"", 400, "malformed"),
    (b"{", 400, "malformed"),
    (b"[]", 400, "malformed"),
    (b'"measure"', 400, "malformed"),
    (b'{"measure": NaN}', 400, "malformed"),
    (b'{"measure": {"actions": 1}}', 400, "malformed"),
    (b'{"measure": ["actions,accounts"]}', 400, "malformed"),
    (b'{"measure": []}', 400, "malformed"),
    (b'{"measure": null}', 400, "malformed"),
    (b'{"measure": 12345678901234567890123}', 422, "unknown-measure"),
    (b"\xff\xfe", 400, "malformed"),
    (b"[" * 60_000, 400, "malformed"),
    (b'{"measure": "actions", "measure": "accounts"}', 422, "repeated-parameter"),
    (b'{"measure": "actions", "categroy": "VIOLENCE"}', 422, "unknown-parameter"),
    (b'{"measure": "' + b"a" * 70_000 + b'"}', 413, "too-large"),
]


@pytest.mark.parametrize(("body", "status", "name"), BODIES, ids=range(len(BODIES)))
def test_a_body_that_is_not_a_question_is_refused(client, body, status, name):
    ensure_problem(client.post(AGGREGATES, content=body), status, name)


def test_a_body_and_a_query_do_not_mix(client):
    ensure_problem(
        client.post(f"{AGGREGATES}?measure=actions", json={"measure": "actions"}), 400, "malformed"
    )


def test_a_body_without_a_token_is_refused_unread(anonymous):
    ensure_problem(anonymous.post(AGGREGATES, content=b"[" * 60_000), 401, "token-missing")
