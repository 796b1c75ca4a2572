"""Keys are revoked for good, and another key takes over."""

import pytest

from auth.errors import NotAllowed, UnknownRecord
from tests.auth.conftest import mandate


@pytest.mark.parametrize("status", ["active", "next", "retired"])
@pytest.mark.parametrize("purpose", ["token", "release", "audit"])
def test_a_key_is_revoked_for_good_and_another_signs(registry, purpose, status):
    registry.keys.rotate(purpose, mandate())
    kid = next(k.kid for k in registry.keys.list() if (k.purpose, k.status) == (purpose, status))
    successor = registry.keys.revoke(kid, mandate())
    assert (successor is not None) == (status == "active")
    standing = {k.kid: k.status for k in registry.keys.list() if k.purpose == purpose}
    assert standing[kid] == "revoked"
    assert sorted(standing.values()).count("active") == sorted(standing.values()).count("next") == 1
    with pytest.raises(NotAllowed, match="already revoked"):
        registry.keys.revoke(kid, mandate())
    with pytest.raises(UnknownRecord):
        registry.keys.revoke("0" * 16, mandate())
    assert registry.audit.verify().events
