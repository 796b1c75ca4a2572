"""/v1/admin/keys: the rotation and the revocation of a key."""

from tests.api.routes.admin.conftest import REASON, question_status


def test_tokens_of_a_revoked_key_are_refused_and_its_successor_signs_at_once(place):
    before, session = place.token(), place.session()
    kid = kid_of(place, "active")
    with place.client(session) as client:
        answer = client.post(f"/v1/admin/keys/{kid}/revoke", json={"reason": "it was copied"}).json()
        assert answer["successor"] not in {None, kid}
        assert client.get("/v1/admin/session").status_code == 401
        assert kid not in {key["kid"] for key in client.get("/.well-known/jwks.json").json()["keys"]}
    assert question_status(place, before) == 401
    assert question_status(place, place.token()) == 200
    assert place.registry.audit.verify().events


def test_after_a_rotation_the_next_key_signs_and_the_old_signatures_stay_valid(place, owner):
    before, next_kid = place.token(), kid_of(place, "next")
    assert owner.post("/v1/admin/keys/token/rotate", json=REASON).json() == {"kid": next_kid}
    assert kid_of(place, "active") == next_kid
    assert question_status(place, before) == 200
    assert question_status(place, place.token()) == 200


def kid_of(place, status):
    """The key for tokens that has this status."""
    return next(k.kid for k in place.registry.keys.list() if (k.purpose, k.status) == ("token", status))
