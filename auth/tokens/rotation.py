"""Changes of issued tokens: replacing one with an overlap, narrowing its scopes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from auth.db.models import Project, Token
from auth.errors import MalformedValue, NotAllowed
from auth.identifiers import new_identifier
from auth.scopes import ensure_within, read_scopes, write_scopes
from auth.tokens.issuing import current_scopes, find_token, is_revoked
from auth.tokens.revocation import is_of_family, is_unrevoked

DEFAULT_OVERLAP = timedelta(hours=24)
MAX_OVERLAP = timedelta(days=7)
MAX_VALID = 32
"""Tokens of one family that may be valid at the same time, so that one transaction can always close all of them."""


def rotate_token(
    session: Session, token_id: str, kid: str, overlap: timedelta, now: datetime
) -> tuple[Token, Token]:
    """Issues a token with the same scopes and label, and revokes the old one at the end of the overlap. Returns new and old.

    The new token has the lifetime that the old one was issued for, but ends with its project. Raises UnknownRecord,
    MalformedValue, and NotAllowed if the old token is not active, was already replaced, or has too many predecessors
    that are still valid.
    """
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        raise MalformedValue(
            f"overlap: {overlap.total_seconds():.0f} s is not between 0 and {MAX_OVERLAP.total_seconds():.0f} s.",
            parameter="overlap",
            value=str(overlap),
        )
    old = find_token(session, token_id)
    project = session.get_one(Project, old.project_id)
    _ensure_token_open(session, old, now)
    _ensure_few_valid(session, old, now)
    issued = now.replace(microsecond=0)
    new = Token(
        jti=new_identifier("tok"),
        family=old.family or old.jti,
        project_id=old.project_id,
        researcher_id=old.researcher_id,
        kid=kid,
        scopes=current_scopes(old),
        label=old.label,
        issued=issued,
        expires=min(issued + timedelta(days=old.days), project.not_after),
        days=old.days,
    )
    session.add(new)
    session.flush()
    old.replaced_by = new.jti
    old.revoked = now + overlap
    session.flush()
    return new, old


def narrow_tokens(session: Session, token_id: str, scopes: frozenset[str], now: datetime) -> Sequence[Token]:
    """Reduces the scopes of the current token of a family and of its predecessors that are still valid.

    Their texts stay the same. Returns them, the named one first. Raises UnknownRecord, and NotAllowed, also for a token that
    was replaced: its successor would keep the scopes.
    """
    token = find_token(session, token_id)
    _ensure_token_open(session, token, now)
    ensure_within(scopes, read_scopes(current_scopes(token)), f"token {token.jti}")
    valid = session.scalars(select(Token).where(_is_valid_in_family(token, now)).order_by(Token.jti))
    narrowed = sorted(valid, key=lambda other: other is not token)
    for other in narrowed:
        other.narrowed = write_scopes(scopes & read_scopes(current_scopes(other)))
    session.flush()
    return narrowed


def _is_valid_in_family(token: Token, now: datetime) -> ColumnElement[bool]:
    return and_(is_of_family(token), is_unrevoked(now), Token.expires > now)


def _ensure_token_open(session: Session, token: Token, now: datetime) -> None:
    project = session.get_one(Project, token.project_id)
    current = session.scalar(
        select(Token.jti).where(_is_valid_in_family(token, now), Token.replaced_by.is_(None))
    )
    if is_revoked(token.revoked, token.replaced_by, now) and (token.replaced_by is None or current is None):
        why = "is revoked"
    elif token.replaced_by is not None and current is not None:
        why = f"was replaced already; the current token of its chain of rotations is {current}"
    elif token.expires <= now:
        why = "has expired"
    elif project.status != "active" or project.not_after <= now:
        why = f"belongs to {project.reference}, which is not active"
    elif token.replaced_by is not None:
        why = "was replaced already"
    else:
        return
    raise NotAllowed(f"token: {token.jti} {why}.", parameter="token", value=token.jti)


def _ensure_few_valid(session: Session, token: Token, now: datetime) -> None:
    valid = session.scalar(select(func.count()).where(_is_valid_in_family(token, now)))
    if valid is not None and valid >= MAX_VALID:
        raise NotAllowed(
            f"token: {valid} tokens of the chain of rotations of {token.jti} are still valid, and more than {MAX_VALID} "
            "are not allowed; wait until the overlap of an earlier one has ended, and choose shorter overlaps.",
            parameter="token",
            value=token.jti,
        )
