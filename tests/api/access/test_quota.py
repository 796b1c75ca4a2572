"""The quota: usage is counted, shown to the project and bounded per day; refusals cost nothing."""

from datetime import UTC, datetime

from tests.api.conftest import AGGREGATES, ensure_problem, used

QUESTION = f"{AGGREGATES}?measure=actions&group_by=category"
FILE = "/v1/releases/moderation/2026-06.1/files/codebook.json"


PLAIN = {"Accept-Encoding": "identity"}


def test_answers_and_files_are_counted_to_the_byte(deployment):
    with deployment.client(deployment.token()) as client:
        client.headers |= PLAIN
        answer, file = client.get(QUESTION), client.get(FILE)
        part = client.get(FILE, headers={"Range": "bytes=0-99"})
        rows, sent = len(answer.json()["data"]), len(answer.content) + len(file.content) + len(part.content)
        assert used(client) == {"requests": 3, "rows": rows, "bytes": sent}


def test_usage_is_shown_for_each_day_of_utc(deployment):
    with deployment.client(deployment.token()) as client:
        before = datetime.now(UTC).date()
        assert client.get(QUESTION).status_code == 200
        after = datetime.now(UTC).date()
        (day,) = client.get("/v1/me/usage").json()["days"]
        assert day["day"] in {before.isoformat(), after.isoformat()}


def test_refusals_unchanged_answers_head_requests_plans_and_metadata_cost_nothing(deployment):
    with deployment.client(deployment.token()) as client:
        etag = client.get(QUESTION).headers["etag"]
        before = used(client)
        for path, fields in (
            (QUESTION, {"If-None-Match": etag}),
            (f"{QUESTION}&limit=0", {}),
            (f"{AGGREGATES}?measure=actions&group_by=category,member_state,restriction", {}),
            (QUESTION.replace("aggregates", "plan"), {}),
            ("/v1/datasets/moderation", {}),
            (FILE, {"Range": "bytes=999999999-"}),
        ):
            client.get(path, headers=fields)
        client.head(QUESTION)
        assert used(client) == before


def test_a_spent_quota_is_refused_with_its_policy_and_the_seconds_until_it_is_renewed(deployment):
    project = deployment.project()
    tokens = [deployment.token(project) for _ in range(2)]
    with deployment.client(tokens[0], quota_rows=30) as client:
        assert client.get(QUESTION).status_code == 200
        assert client.get(QUESTION).status_code == 200
        for text in tokens:  # the quota is the project's
            answer = client.get(QUESTION, headers={"Authorization": f"Bearer {text}"})
            body = ensure_problem(answer, 429, "quota-spent")
            assert body["policy"] == "rows per day"
            assert 1 <= int(answer.headers["retry-after"]) <= 86_401
        assert client.get(QUESTION.replace("aggregates", "plan")).status_code == 200
        assert client.get("/v1/me").status_code == 200


def test_bytes_have_a_quota_of_their_own_to_which_files_count(deployment):
    with deployment.client(deployment.token(), quota_bytes=1000) as client:
        assert client.get(FILE).status_code == 200
        assert ensure_problem(client.get(FILE), 429, "quota-spent")["policy"] == "bytes per day"
        ensure_problem(client.get(QUESTION), 429, "quota-spent")


def test_usage_is_kept_after_the_process_ends_and_adds_up_over_processes(deployment):
    text = deployment.token()
    sizes = []
    for _ in range(2):
        with deployment.client(text) as client:
            sizes.append(len(client.get(QUESTION, headers=PLAIN).content))
    with deployment.client(text) as client:
        assert used(client)["bytes"] == sum(sizes)
