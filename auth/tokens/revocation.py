"""Revocation: closing a token together with its family, which are all tokens of its chain of rotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session

from auth.db.models import AuditEvent, Project, Researcher, Token
from auth.tokens.issuing import find_token, record_state


@dataclass(frozen=True)
class Revocation:
    """The result of a revocation: the token that was named, and every token that it closed."""

    token_id: str
    was_open: bool
    """Whether the token that was named was not revoked before."""
    closed: tuple[str, ...]
    """Identifiers of the tokens that were not revoked before, the named one first, then from the first issued to the last."""


def revoke_family(session: Session, token_id: str, now: datetime) -> tuple[Token, str, Sequence[Token]]:
    """Revokes a token and all tokens of its family, also if the token itself has expired or is revoked already.

    Returns the token, its state before (as `record_state`), and those of the family that were not revoked before. A thief who
    rotates a stolen token leaves its holder with the old text, and the server cannot tell which of the two rotated it: so the
    whole family is closed, as RFC 9700, section 4.14.2, does with refresh tokens. Raises UnknownRecord.
    """
    named = find_token(session, token_id)
    was = record_state(named, now)
    found = session.scalars(
        select(Token).where(is_of_family(named), is_unrevoked(now)).order_by(Token.issued, Token.jti)
    )
    closed = sorted(found, key=lambda token: token is not named)
    for token in closed:
        token.revoked = now
    session.flush()
    return named, was, closed


def is_of_family(token: Token) -> ColumnElement[bool]:
    """Whether a token belongs to the chain of rotations of this one.

    A token whose family is empty is the first of its own: an empty text must never join tokens of several projects.
    """
    first = token.family or token.jti
    return or_(Token.family == first, Token.jti == first)


def is_unrevoked(now: datetime) -> ColumnElement[bool]:
    """Whether a token is not revoked, as `auth.tokens.issuing.is_revoked` says of one row."""
    in_overlap = and_(Token.replaced_by.is_not(None), Token.revoked > now)
    return or_(Token.revoked.is_(None), in_overlap)


def find_revoked_families(session: Session) -> frozenset[str]:
    """The families of which somebody revoked a token. A token that only was replaced has no event of a revocation."""
    subjects = select(AuditEvent.subject).where(AuditEvent.act == "token.revoked")
    first = func.coalesce(func.nullif(Token.family, ""), Token.jti)  # as in is_of_family
    return frozenset(session.scalars(select(first).where(Token.jti.in_(subjects))))


def revoke_member_tokens(session: Session, project: Project, person: Researcher, now: datetime) -> None:
    """Revokes every token of a person in a project, so that none becomes valid again if the person is added again later."""
    session.execute(
        update(Token)
        .where(Token.project_id == project.id, Token.researcher_id == person.id, is_unrevoked(now))
        .values(revoked=now)
    )
