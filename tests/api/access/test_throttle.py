"""The throttle of failed logins: many bad tokens cost little, and clients with good tokens are still served."""

import logging
import time

from tests.api.conftest import AGGREGATES, ensure_problem

QUESTION = f"{AGGREGATES}?measure=actions"


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


def test_of_many_bad_tokens_twenty_a_minute_are_verified_and_good_clients_are_served(deployment, caplog):
    good, forged = deployment.token(), deployment.token()[:-4] + "AAAA"
    caplog.set_level(logging.INFO, "daylight.auth")
    with deployment.client(limit_standard="100000/minute") as client:
        assert client.get(QUESTION, headers=bearer(good)).status_code == 200
        statuses, started = [], time.monotonic()
        for n in range(2_000):
            statuses.append(client.get(QUESTION, headers=bearer(forged + str(n % 7))).status_code)
            if n % 100 == 0:
                assert client.get(QUESTION, headers=bearer(good)).status_code == 200
    verified = sum("token refused" in record.message for record in caplog.records)
    assert statuses.count(401) == verified
    minutes = (time.monotonic() - started) / 60
    assert 20 <= verified <= 20 * (1 + minutes) + 2, "twenty a minute; the window slides while the test runs"
    assert set(statuses) == {401, 429}


def test_a_throttled_client_is_told_the_reason_and_the_seconds_to_wait(deployment):
    with deployment.client(limit_attempts="2/12hour") as client:
        answers = [client.get(QUESTION, headers=bearer("nothing")) for _ in range(3)]
        body = ensure_problem(answers[2], 429, "too-many-attempts")
        assert 1 <= int(answers[2].headers["retry-after"]) <= 43_200
        assert "at most 2 per 12 hour are checked" in body["detail"]
        assert client.get("/v1").status_code == 200


def test_a_remembered_token_that_is_revoked_is_refused_from_a_throttled_address_too(deployment):
    text = deployment.token()
    with deployment.client(limit_attempts="1/12hour") as client:
        assert client.get(QUESTION, headers=bearer(text)).status_code == 200
        client.get(QUESTION, headers=bearer("nothing"))
        client.get(QUESTION, headers=bearer("nothing"))
        assert client.delete("/v1/me/tokens/current", headers=bearer(text)).status_code == 204
        ensure_problem(client.get(QUESTION, headers=bearer(text)), 401, "token-refused")


def test_repeating_the_revocation_of_a_good_token_is_throttled_so_that_it_cannot_fill_the_audit_log(
    deployment,
):
    text = deployment.token()
    earlier = deployment.registry.audit.verify().events  # other tests revoke tokens too
    with deployment.client(limit_attempts="3/12hour") as client:
        assert client.get(QUESTION, headers=bearer(text)).status_code == 200
        statuses = [client.post("/v1/tokens/revoke", json={"token": text}).status_code for _ in range(5)]
    assert statuses == [204, 204, 204, 429, 429]
    acts = [line.get("act") for line in deployment.registry.audit.export(earlier)]
    assert (acts.count("token.revoked"), acts.count("token.revoked_again")) == (1, 2)


def test_an_attempt_to_revoke_an_unknown_token_counts_as_a_failed_login(deployment):
    with deployment.client(limit_attempts="3/12hour") as client:
        statuses = [
            client.post("/v1/tokens/revoke", json={"token": f"a.b.{n}"}).status_code for n in range(5)
        ]
        assert statuses == [204, 204, 204, 429, 429]
        assert client.get(QUESTION, headers=bearer("x.y.z")).status_code == 429
