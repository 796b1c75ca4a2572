"""A repeated request takes the fast path: the same bytes, after the same checks."""

import pytest
from starlette.routing import Match

from tests.api.conftest import AGGREGATES, ensure_problem, used
from tests.deployment import mandate

QUESTION = f"{AGGREGATES}?measure=actions&group_by=category"


def is_known(client, url):
    """Whether the next request of this client for an address takes the fast path."""
    path, _, query = url.partition("?")
    fields = [(name.lower().encode(), value.encode()) for name, value in client.headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": fields}
    return client.app.state.known_queries.matches(scope)[0] is Match.FULL


def test_the_second_answer_is_the_first_in_bytes_and_fields(client):
    first, second = (client.get(QUESTION) for _ in range(2))
    assert second.content == first.content
    of_each = {"x-request-id", "ratelimit", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit-policy"}
    assert {k: v for k, v in second.headers.items() if k not in of_each} == {
        k: v for k, v in first.headers.items() if k not in of_each
    }
    assert second.headers["x-request-id"] != first.headers["x-request-id"]


def test_headers_that_change_the_answer_are_part_of_the_key(client):
    client.get(QUESTION)
    kinds = {client.get(QUESTION, headers={"Accept": a}).headers["content-type"] for a in ("text/csv", "*/*")}
    assert len(kinds) == 2
    packed = client.get(QUESTION, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert client.get(f"{QUESTION}&limit=1").json()["page"]["returned"] == 1


def test_a_client_with_the_same_bytes_gets_304_and_head_has_no_body(client):
    first = client.get(QUESTION)
    client.get(QUESTION)
    assert client.get(QUESTION, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    head = client.head(QUESTION)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == first.headers["content-length"]


def test_a_known_question_still_needs_a_valid_token_with_its_scope(deployment):
    good, other = deployment.token(), deployment.token(deployment.project(frozenset({"ads:read"})))
    with deployment.client() as client:
        assert client.get(QUESTION, headers={"Authorization": f"Bearer {good}"}).status_code == 200
        assert is_known(client, QUESTION)
        ensure_problem(client.get(QUESTION), 401, "token-missing")
        ensure_problem(
            client.get(QUESTION, headers={"Authorization": f"Bearer {good}x"}), 401, "token-refused"
        )
        ensure_problem(
            client.get(QUESTION, headers={"Authorization": f"Bearer {other}"}), 403, "out-of-scope"
        )
        deployment.registry.tokens.revoke(good, mandate())
        ensure_problem(
            client.get(QUESTION, headers={"Authorization": f"Bearer {good}"}), 401, "token-refused"
        )


def test_a_known_question_counts_for_rate_limit_and_quota(deployment):
    with deployment.client(deployment.token(), limit_standard="3/12hour") as client:
        assert [client.get(QUESTION).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert used(client)["requests"] == 3
    with deployment.client(deployment.token(), quota_rows=20) as client:
        assert [client.get(QUESTION).status_code for _ in range(3)] == [200, 200, 429]


@pytest.fixture
def place(deployment, tmp_path):
    copy = deployment.copy(tmp_path / "home")
    yield copy
    copy.close()


def test_a_known_question_is_answered_from_the_current_releases(corrected, place):
    with place.client(place.token()) as client:
        before = [client.get(QUESTION) for _ in range(2)][-1]
        place.copy_release_from(corrected)
        client.app.state.releases.store.refresh()
        after = client.get(QUESTION)
        assert (before.headers["data-release"], after.headers["data-release"]) == ("2026-06.1", "2026-06.2")
        assert after.content != before.content


def test_a_long_url_is_parsed_each_time(client):
    long = f"{QUESTION}&category=ne:{'ANIMAL_WELFARE,' * 150}ANIMAL_WELFARE"
    short = f"{QUESTION}&category=ne:ANIMAL_WELFARE"
    assert [client.get(url).status_code for url in (long, short)] == [200, 200]
    assert [is_known(client, url) for url in (long, short)] == [False, True]
