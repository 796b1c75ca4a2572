"""Revoking one token closes its whole chain of rotations: whoever stole it may have been the one who rotated it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text as sql
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from auth.db import migrate
from auth.db.engine import write_transaction
from auth.db.models import Token
from auth.errors import NotAllowed, UnknownRecord
from auth.registry import Registry, open_registry
from auth.tokens.rotation import MAX_VALID
from tests.auth.conftest import NOW, ask, mandate, token_text
from tests.auth.tokens.conftest import refusal_cause

HOUR = timedelta(hours=1)


@pytest.fixture
def chain(populated) -> list[str]:
    """The texts of a token and of two successors; all three are valid, since the overlaps have not ended."""
    texts = [token_text(populated)]
    for _ in range(2):
        texts.append(populated.tokens.rotate(texts[-1], HOUR, mandate()).text)
    return texts


def token_id(registry: Registry, text: str) -> str:
    return registry.tokens.identify(text, NOW).token_id


def revocations(registry: Registry) -> list[dict[str, object]]:
    return [dict(line) for line in registry.audit.export() if line.get("act") == "token.revoked"]


@pytest.mark.parametrize("named", [0, 1, 2])
def test_revoking_any_token_of_a_chain_closes_all_of_them_at_once(populated, chain, named):
    for text in chain:
        assert populated.authenticator.principal(text, NOW)
    done = populated.tokens.revoke(chain[named], mandate())
    assert done.was_open
    assert done.closed[0] == done.token_id == token_id(populated, chain[named])
    assert sorted(done.closed) == sorted(token_id(populated, text) for text in chain)
    assert {refusal_cause(populated, text) for text in chain} == {"revoked"}


def test_each_closed_token_has_an_event_that_names_the_token_that_was_revoked(populated, chain):
    done = populated.tokens.revoke(chain[0], mandate(reason="it was found in a repository"))
    events = revocations(populated)
    assert [event["subject"] for event in events] == list(done.closed)
    assert {event["reason"] for event in events} == {"it was found in a repository"}
    assert all(f'"named":"{done.token_id}"' in str(event["details"]) for event in events)
    assert populated.audit.verify().events


def test_a_revocation_whose_event_cannot_be_written_closes_nothing(populated, chain, attacker):
    attacker("UPDATE audit_head SET signature = 'x'")
    with pytest.raises(Exception, match="audit"):
        populated.tokens.revoke(chain[0], mandate())
    assert all(populated.authenticator.principal(text, NOW) for text in chain)


def test_a_token_whose_overlap_has_ended_still_closes_its_successors(populated, chain):
    later = NOW + timedelta(days=3)
    assert refusal_cause(populated, chain[0], later) == "revoked"
    done = populated.tokens.revoke(chain[0], mandate(later))
    assert (done.was_open, done.closed) == (False, (token_id(populated, chain[2]),))
    assert refusal_cause(populated, chain[2], later) == "revoked"
    again = populated.tokens.revoke(chain[0], mandate(later))
    assert (again.was_open, again.closed) == (False, ())
    assert len(revocations(populated)) == 1


def test_an_expired_text_still_closes_its_successors_and_a_forged_one_does_not(populated):
    old = token_text(populated, days=3)
    new = populated.tokens.rotate(old, HOUR, mandate(NOW + timedelta(days=2))).text
    later = NOW + timedelta(days=4)
    assert populated.authenticator.principal(new, later)
    with pytest.raises(UnknownRecord):
        populated.tokens.revoke(old[:-4] + "AAAA", mandate(later))
    assert populated.authenticator.principal(new, later)
    assert populated.tokens.revoke(old, mandate(later)).closed == (token_id(populated, new),)
    assert refusal_cause(populated, new, later) == "revoked"


def test_a_text_that_was_signed_by_a_revoked_key_closes_nothing(populated):
    """Whoever stole a key could write such a text. An admin who knows the identifier can still revoke the token."""
    old = token_text(populated)
    kid, _ = populated.authenticator.verify(old, NOW)
    populated.keys.rotate("token", mandate())
    new = populated.tokens.rotate(old, HOUR, mandate()).text
    populated.keys.revoke(kid, mandate())
    with pytest.raises(UnknownRecord, match="its key was revoked.*'daylight admin token identify'"):
        populated.tokens.revoke(old, mandate())
    assert populated.authenticator.principal(new, NOW)
    found = populated.tokens.identify(old, NOW).token_id
    assert token_id(populated, new) in populated.tokens.revoke(found, mandate()).closed
    assert refusal_cause(populated, new) == "revoked"


def test_other_tokens_of_the_same_person_stay_valid(populated, chain):
    other = populated.tokens.issue(ask(), mandate())
    populated.tokens.revoke(chain[0], mandate())
    assert populated.authenticator.principal(other.text, NOW)
    assert len({line.family for line in populated.tokens.list(NOW)}) == 2


def test_a_narrowed_token_and_its_successors_are_closed_too(populated):
    old = token_text(populated)
    populated.tokens.narrow(old, frozenset({"moderation:read"}), mandate())
    new = populated.tokens.rotate(old, HOUR, mandate()).text
    populated.tokens.revoke(old, mandate())
    assert {refusal_cause(populated, text) for text in (old, new)} == {"revoked"}


def test_a_chain_has_a_limited_number_of_valid_tokens_so_that_all_can_be_closed_in_one_transaction(populated):
    text = token_text(populated)
    for _ in range(MAX_VALID - 1):
        text = populated.tokens.rotate(text, HOUR, mandate()).text
    with pytest.raises(NotAllowed, match=r"still valid, and more than 32 are not allowed.*shorter overlaps"):
        populated.tokens.rotate(text, HOUR, mandate())
    assert populated.tokens.rotate(text, HOUR, mandate(NOW + HOUR)), "the overlaps have ended"
    assert len(populated.tokens.revoke(text, mandate()).closed) == MAX_VALID + 1


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_a_revoked_token_cannot_be_rotated_whatever_the_clock_of_the_second_host_says(populated, seconds):
    """A request reads the time before it waits for the write lock, so its time may be earlier than the revocation's."""
    text = token_text(populated)
    populated.tokens.revoke(text, mandate())
    with pytest.raises(NotAllowed, match="is revoked"):
        populated.tokens.rotate(text, HOUR, mandate(NOW + timedelta(seconds=seconds)))
    assert refusal_cause(populated, text) == "revoked"


def test_a_rotation_that_races_with_a_revocation_leaves_no_valid_token(populated, settings, engine):
    """Both wait for the write lock on connections of their own, so either may be first. The rotation's time is earlier."""
    other = open_registry(settings)
    try:
        with ThreadPoolExecutor(2) as threads:
            for _ in range(20):
                old = token_text(populated)
                new = populated.tokens.rotate(old, HOUR, mandate()).token_id
                with write_transaction(engine):
                    rotation = threads.submit(other.tokens.rotate, new, HOUR, mandate())
                    revocation = threads.submit(populated.tokens.revoke, old, mandate(NOW + HOUR / 2))
                assert isinstance(rotation.exception(), NotAllowed | None)
                assert revocation.result().was_open
                states = {line.state for line in populated.tokens.list(NOW + HOUR / 2)}
                assert "active" not in states
    finally:
        other.close()


def test_the_family_of_tokens_from_before_the_migration_is_their_first_token(populated, engine, chain):
    single = populated.tokens.issue(ask(), mandate())
    before = {line.token_id: line.family for line in populated.tokens.list(NOW)}
    migrate.downgrade(engine, "0004")
    with write_transaction(engine) as session:
        assert migrate.upgrade(session.connection()) == "0004"
    assert {line.token_id: line.family for line in populated.tokens.list(NOW)} == before
    assert before[single.token_id] == single.token_id
    families = [before[token_id(populated, text)] for text in chain]
    assert all(one == other for one, other in pairwise(families))
    populated.tokens.revoke(chain[0], mandate())
    assert refusal_cause(populated, chain[2]) == "revoked"


def test_a_program_from_before_the_families_cannot_issue_a_token_without_one(populated, engine):
    """It names the columns that it knows. With a default, its tokens of several projects would have one family."""
    token_text(populated)
    copied = "project_id, researcher_id, kid, scopes, label, issued, expires, days"
    with engine.connect() as connection, pytest.raises(IntegrityError, match="family"):
        connection.execute(sql(f"INSERT INTO token (jti, {copied}) SELECT 'tok_old', {copied} FROM token"))


def test_a_token_without_a_family_closes_no_other_token_than_its_own_successors(populated, engine):
    one, other = token_text(populated), token_text(populated)
    with write_transaction(engine) as session:
        session.execute(update(Token).values(family=""))
    new = populated.tokens.rotate(one, HOUR, mandate()).text
    populated.tokens.revoke(one, mandate())
    assert {refusal_cause(populated, text) for text in (one, new)} == {"revoked"}
    assert populated.authenticator.principal(other, NOW)


def test_a_revoked_token_without_a_family_marks_no_other_as_unclosed(populated, engine):
    one, _ = token_text(populated), token_text(populated)
    with write_transaction(engine) as session:
        session.execute(update(Token).values(family=""))
    populated.tokens.revoke(one, mandate())
    assert list(populated.tokens.unclosed(NOW)) == []


def test_a_successor_of_a_revoked_token_without_a_family_is_listed_as_unclosed(populated, engine):
    one = token_text(populated)
    with write_transaction(engine) as session:
        session.execute(update(Token).values(family=""))
    new = populated.tokens.rotate(one, HOUR, mandate()).token_id
    for revoked in (
        NOW,
        None,
    ):  # as version 0.1.0 did, which closed the first one alone, and left an event of it alone
        with write_transaction(engine) as session:
            session.execute(update(Token).where(Token.jti == new).values(revoked=revoked))
        if revoked:
            populated.tokens.revoke(one, mandate())
    assert [line.token_id for line in populated.tokens.unclosed(NOW)] == [new]


def test_a_token_that_was_revoked_by_a_host_whose_clock_is_ahead_is_refused_at_once(populated):
    text = token_text(populated)
    assert populated.authenticator.principal(text, NOW)
    populated.tokens.revoke(text, mandate(NOW + timedelta(minutes=4)))
    assert refusal_cause(populated, text) == "revoked"
    assert [line.state for line in populated.tokens.list(NOW)] == ["revoked"]
    assert populated.tokens.revoke(text, mandate()).closed == ()


@pytest.mark.parametrize(("days", "was"), [(1, "active"), (2, "expired"), (4, "replaced")])
def test_an_event_says_what_state_the_token_had_that_was_named(populated, days, was):
    """So that an admin learns that an old text was found, and not the token that the researcher used."""
    old = token_text(populated, days=2)
    populated.tokens.rotate(old, 72 * HOUR, mandate(NOW + 24 * HOUR))
    populated.tokens.revoke(old, mandate(NOW + timedelta(days=days)))
    events = revocations(populated)
    assert events and all(f'"named_was":"{was}"' in str(event["details"]) for event in events)


def test_revoking_a_closed_family_again_leaves_an_event_too(populated, chain):
    populated.tokens.revoke(chain[0], mandate())
    again = populated.tokens.revoke(chain[2], mandate(reason="it was found once more"))
    assert again.closed == ()
    last = list(populated.audit.export())[-2]
    assert (last["act"], last["subject"]) == ("token.revoked_again", again.token_id)
    assert last["reason"] == "it was found once more"


def test_a_family_with_more_valid_tokens_than_the_limit_is_closed_whole_and_grows_no_more(populated, engine):
    """Before the limit, a family could have any number of them."""
    text = token_text(populated)
    for _ in range(MAX_VALID + 4):
        text = populated.tokens.rotate(text, timedelta(0), mandate()).text
    with write_transaction(engine) as session:
        session.execute(update(Token).where(Token.revoked.is_not(None)).values(revoked=NOW + HOUR))
    with pytest.raises(NotAllowed, match="are still valid"):
        populated.tokens.rotate(text, HOUR, mandate())
    assert len(populated.tokens.revoke(text, mandate()).closed) == MAX_VALID + 5


def test_successors_that_an_earlier_version_left_open_are_listed_until_they_are_closed(
    populated, engine, chain
):
    """A token that was only replaced is not the reason: its event is that of a rotation."""
    replaced = token_text(populated)
    populated.tokens.rotate(replaced, timedelta(0), mandate())
    assert populated.tokens.unclosed(NOW) == []
    first, *open_ones = (token_id(populated, text) for text in chain)
    populated.tokens.revoke(first, mandate())
    with write_transaction(engine) as session:  # as version 0.1.0 did, which closed the first one alone
        session.execute(update(Token).where(Token.jti.in_(open_ones)).values(revoked=None))
    assert {line.token_id for line in populated.tokens.unclosed(NOW)} == set(open_ones)
    populated.tokens.revoke(open_ones[0], mandate())
    assert populated.tokens.unclosed(NOW) == []
