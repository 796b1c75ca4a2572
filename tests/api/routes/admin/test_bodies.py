"""Bodies of admins' requests."""

from datetime import UTC, datetime

import pytest

from tests.api.conftest import ensure_problem
from tests.api.routes.admin.conftest import REASON, question_status


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": 5}, "reason"),
        ({"reason": "x" * 201}, "reason"),
        ({**REASON, "raeson": "canary-value"}, "raeson"),
        ([], "body"),
    ],
)
def test_a_request_without_a_reason_or_with_unknown_members_changes_nothing(place, owner, body, where):
    token = place.token()
    token_id = place.registry.tokens.identify(token, datetime.now(UTC)).token_id
    answer = owner.post(f"/v1/admin/tokens/{token_id}/revoke", json=body)
    assert ensure_problem(answer, 400, "malformed")["parameter"] == where
    assert "canary-value" not in answer.text
    assert question_status(place, token) == 200
