"""Tokens after they were issued: replaced, narrowed, identified, listed when they end soon."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from auth.db.engine import write_transaction
from auth.db.models import Token
from auth.errors import MalformedValue, NotAllowed, TokenRefused, UnknownRecord
from auth.tokens.issuing import ending_tokens
from auth.vetting.lifecycle import ProjectChange
from tests.auth.conftest import MEMBER, NOW, PROJECT, ask, mandate, token_text


def test_a_token_and_its_successor_overlap_and_then_the_old_one_is_refused(populated):
    old = token_text(populated)
    new = populated.tokens.rotate(old, timedelta(hours=2), mandate())
    assert populated.authenticator.principal(old, NOW).expires == NOW + timedelta(hours=2)
    assert (
        populated.authenticator.principal(new.text, NOW).scopes
        == populated.authenticator.principal(old, NOW).scopes
    )
    with pytest.raises(TokenRefused) as refused:
        populated.authenticator.principal(old, NOW + timedelta(hours=2))
    assert refused.value.cause == "revoked"
    assert populated.authenticator.principal(new.text, NOW + timedelta(hours=2))
    with pytest.raises(NotAllowed, match="was replaced already"):
        populated.tokens.rotate(old, timedelta(hours=2), mandate())


def test_an_overlap_is_at_most_seven_days(populated):
    with pytest.raises(MalformedValue, match="overlap"):
        populated.tokens.rotate(token_text(populated), timedelta(days=8), mandate())


def test_a_narrowed_token_keeps_its_text_and_loses_scopes(populated):
    text = token_text(populated)
    whole = populated.authenticator.principal(text, NOW).scopes
    left = frozenset(sorted(whole)[:1])
    populated.tokens.narrow(text, left, mandate())
    assert populated.authenticator.principal(text, NOW).scopes == left
    with pytest.raises(NotAllowed, match="beyond the token"):
        populated.tokens.narrow(text, whole, mandate())
    assert populated.tokens.rotate(text, timedelta(0), mandate())
    assert [line.scopes for line in populated.tokens.list(NOW)] == [" ".join(left)] * 2


def test_narrowing_reaches_each_valid_token_of_a_chain_or_is_refused_with_the_current_one(populated):
    left, overlap = frozenset({"ads:read"}), timedelta(hours=1)
    old = token_text(populated)
    middle = populated.tokens.rotate(old, overlap, mandate()).text
    new = populated.tokens.rotate(middle, overlap, mandate())
    for replaced in (old, middle):
        with pytest.raises(NotAllowed, match=f"replaced already; the current token .* is {new.token_id}"):
            populated.tokens.narrow(replaced, left, mandate())
    populated.tokens.narrow(new.token_id, left, mandate())
    for text in (old, middle, new.text):
        assert populated.authenticator.principal(text, NOW).scopes == left
    acts = [line["act"] for line in populated.audit.export() if "act" in line]
    assert acts[-3:] == ["token.narrowed"] * 3


def test_narrowing_a_token_whose_overlap_is_over_names_the_current_one(populated):
    old = token_text(populated)
    new = populated.tokens.rotate(old, timedelta(0), mandate())
    with pytest.raises(NotAllowed, match=f"replaced already; the current token .* is {new.token_id}"):
        populated.tokens.narrow(old, frozenset({"ads:read"}), mandate())
    populated.tokens.revoke(new.token_id, mandate())
    with pytest.raises(NotAllowed, match="is revoked"):
        populated.tokens.narrow(old, frozenset({"ads:read"}), mandate())


def test_narrowing_gives_a_narrower_predecessor_no_scope_back(populated, engine):
    old = token_text(populated)
    whole = populated.authenticator.principal(old, NOW).scopes
    new = populated.tokens.rotate(old, timedelta(hours=1), mandate())
    one, two = frozenset(sorted(whole)[:1]), frozenset(sorted(whole)[:2])
    assert one < two
    with write_transaction(engine) as session:
        session.execute(update(Token).where(Token.jti != new.token_id).values(narrowed=" ".join(one)))
    populated.tokens.narrow(new.token_id, two, mandate())
    assert populated.authenticator.principal(old, NOW).scopes == one
    assert populated.authenticator.principal(new.text, NOW).scopes == two


def test_narrowing_leaves_a_predecessor_that_has_expired_as_it_was(populated):
    old = populated.tokens.issue(ask(days=1), mandate())
    later = NOW + timedelta(hours=23)
    new = populated.tokens.rotate(old.token_id, timedelta(hours=5), mandate(later))
    populated.tokens.narrow(new.token_id, frozenset({"ads:read"}), mandate(NOW + timedelta(hours=25)))
    narrowed = [line["subject"] for line in populated.audit.export() if line.get("act") == "token.narrowed"]
    assert narrowed == [new.token_id]


def test_a_token_that_was_found_can_be_identified_even_if_it_is_revoked_and_expired(populated):
    text = token_text(populated, label="laptop")
    populated.tokens.revoke(text, mandate())
    much_later = NOW + timedelta(days=400)
    found = populated.tokens.identify(text, much_later)
    assert (found.label, found.state, found.researcher) == ("laptop", "revoked", MEMBER)
    for other in ("", "nothing", text[:-2] + "AA", text.replace("e", "f", 1)):
        with pytest.raises(UnknownRecord):
            populated.tokens.identify(other, NOW)


def test_tokens_that_end_soon_and_have_no_successor_are_listed(populated):
    short = populated.tokens.issue(ask(days=10), mandate())
    replaced = populated.tokens.issue(ask(days=9), mandate())
    populated.tokens.issue(ask(days=90), mandate())
    successor = populated.tokens.rotate(replaced.token_id, timedelta(days=1), mandate())
    found = ending_tokens(populated.tokens.list(NOW), NOW, 14)
    assert [line.token_id for line in found] == [successor.token_id, short.token_id]
    assert ending_tokens(populated.tokens.list(NOW), NOW, 5) == []
    assert ending_tokens(populated.tokens.list(short.expires), short.expires, 14) == [], (
        "what has ended ends no more"
    )


def test_a_token_of_a_project_that_was_shortened_is_listed_as_expired(populated):
    token_text(populated, days=80)
    populated.projects.change(PROJECT, ProjectChange(last_day=NOW.date()), mandate())
    (line,) = populated.tokens.list(NOW + timedelta(days=2))
    assert line.state == "expired"
    assert line.expires == populated.projects.list()[0].not_after
