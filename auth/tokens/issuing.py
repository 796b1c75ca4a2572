"""Tokens: issuing and listing them. Only their rows are stored, never their text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.crypto.jwt import MAX_LIFE, Claims
from auth.db.models import Project, Researcher, Token
from auth.errors import (
    MalformedValue,
    NotAllowed,
    UnknownRecord,
    printable,
    similar_options,
    suggestion_sentence,
)
from auth.identifiers import new_identifier
from auth.projects import find_member, find_project
from auth.scopes import ensure_within, read_scopes, write_scopes
from auth.validation import ensure_text

DEFAULT_DAYS = 90
SOON = 14
"""Number of days before its end from which a token is listed as ending soon."""
CLOSED = ("expired", "revoked", "replaced")
"""States in which a token stays: it is never accepted again."""


@dataclass(frozen=True)
class NewToken:
    """A request for a token for a member of a project. No scopes means all scopes of the project.

    A second request for the same member with the same `idempotency_key` gives the same token again, not a second one.
    """

    project: str
    researcher: str
    scopes: frozenset[str] = frozenset()
    days: int = DEFAULT_DAYS
    label: str = ""
    idempotency_key: str | None = None


@dataclass(frozen=True)
class IssuedToken:
    """A token as it is shown once, after it was issued. The text is not in the repr, so that it stays out of logs."""

    text: str = field(repr=False)
    token_id: str
    expires: datetime
    again: bool
    """Whether this is a token that was issued before with the same idempotency key, and was never used."""


@dataclass(frozen=True)
class TokenLine:
    """A token as it appears in lists, without its text."""

    token_id: str
    project: str
    researcher: str
    scopes: str
    label: str
    issued: datetime
    expires: datetime
    last_used: datetime | None
    state: str
    """active, not yet, expired, revoked or replaced; or `project ` and the project's status, if the project is not active."""
    replaced: bool
    """Whether another token was issued to replace it."""
    family: str
    """The first token of its chain of rotations. If one token of a family is revoked, all of them are."""


def issue_token(session: Session, new: NewToken, kid: str, now: datetime) -> tuple[Token, bool]:
    """The token's row, and whether it existed before.

    A token never ends later than its project. Raises UnknownRecord, MalformedValue, or NotAllowed for a project that is
    not active, a scope that the project does not have, or an idempotency key that was used for something else.
    """
    project = find_project(session, new.project)
    researcher = find_member(session, project, new.researcher)
    scopes = new.scopes or read_scopes(project.scopes)
    ensure_within(scopes, read_scopes(project.scopes), f"project {project.reference}")
    label = ensure_text("label", new.label) if new.label else ""
    _ensure_days(new.days)
    _ensure_project_open(project, now)
    key = None if new.idempotency_key is None else ensure_text("idempotency_key", new.idempotency_key)
    earlier = _find_by_idempotency_key(session, project, researcher, key)
    if earlier is not None:
        _ensure_repeatable(earlier, (write_scopes(scopes), new.days, label), now)
        return earlier, True
    issued = now.replace(microsecond=0)
    token_id = new_identifier("tok")
    token = Token(
        jti=token_id,
        family=token_id,
        project_id=project.id,
        researcher_id=researcher.id,
        kid=kid,
        scopes=write_scopes(scopes),
        label=label,
        issued=issued,
        expires=min(issued + timedelta(days=new.days), project.not_after),
        idempotency_key=key,
        days=new.days,
    )
    session.add(token)
    session.flush()
    return token, False


def claims_of(token: Token, issuer: str, audience: str) -> Claims:
    """The claims of the token's text, from its row."""
    issued = int(token.issued.timestamp())
    return Claims(
        iss=issuer,
        aud=audience,
        sub=token.researcher_id,
        client_id=token.project_id,
        jti=token.jti,
        scope=token.scopes,
        iat=issued,
        nbf=issued,
        exp=int(token.expires.timestamp()),
    )


def current_scopes(token: Token) -> str:
    """The scopes that a token has now: those it was issued with, unless it was narrowed since."""
    return token.scopes if token.narrowed is None else token.narrowed


def find_token(session: Session, token_id: str) -> Token:
    """The token with this identifier. Raises UnknownRecord, with similar identifiers as suggestions."""
    token = session.get(Token, token_id)
    if token is not None:
        return token
    near = similar_options(token_id, session.scalars(select(Token.jti)))
    raise UnknownRecord(
        f"token: there is no token {printable(token_id)!r}; give an identifier as in 'token list'."
        f"{suggestion_sentence(near)}",
        parameter="token",
        value=token_id,
        suggestions=near,
    )


def list_tokens(
    session: Session, now: datetime, project: str | None = None, token_id: str | None = None
) -> Sequence[TokenLine]:
    """Every token, or the tokens of one project, or the token with one identifier, the newest first. Raises UnknownRecord."""
    query = (
        select(Token, Project, Researcher.email)
        .join(Project, Project.id == Token.project_id)
        .join(Researcher, Researcher.id == Token.researcher_id)
        .order_by(Token.issued.desc(), Token.jti)
    )
    if project is not None:
        query = query.where(Token.project_id == find_project(session, project).id)
    if token_id is not None:
        query = query.where(Token.jti == token_id)
    return [
        TokenLine(
            token_id=token.jti,
            project=owner.reference,
            researcher=email,
            scopes=current_scopes(token),
            label=token.label,
            issued=token.issued,
            expires=min(token.expires, token.revoked or token.expires, owner.not_after),
            last_used=token.last_used,
            state=_token_state(token, owner, now),
            replaced=token.replaced_by is not None,
            family=token.family or token.jti,
        )
        for token, owner, email in session.execute(query)
    ]


def ending_tokens(lines: Iterable[TokenLine], now: datetime, days: int) -> list[TokenLine]:
    """The active tokens that end within this number of days and have no replacement, the earliest end first."""
    soon = [line for line in lines if line.state == "active" and line.expires <= now + timedelta(days=days)]
    return sorted((line for line in soon if not line.replaced), key=lambda line: line.expires)


def is_revoked(revoked: datetime | None, replaced_by: str | None, now: datetime) -> bool:
    """Whether a token with this time of revocation and this successor is revoked: after its overlap if it was replaced.

    Without a successor somebody revoked it, and the clock of that host may be ahead of `now`: it is revoked at any time.
    """
    return revoked is not None and (replaced_by is None or revoked <= now)


def record_state(token: Token, now: datetime) -> str:
    """The state of a token by its row alone: active, expired, revoked or replaced."""
    if is_revoked(token.revoked, token.replaced_by, now):
        return "replaced" if token.replaced_by else "revoked"
    return "expired" if token.expires <= now else "active"


def _token_state(token: Token, project: Project, now: datetime) -> str:
    state = record_state(token, now)
    if state != "active":
        return state
    if project.not_after <= now:
        return "expired"
    if project.status != "active":
        return f"project {project.status}"
    return "active" if project.not_before <= now else "not yet"


def _find_by_idempotency_key(
    session: Session, project: Project, researcher: Researcher, key: str | None
) -> Token | None:
    if key is None:
        return None
    return session.scalars(
        select(Token).where(
            Token.project_id == project.id,
            Token.researcher_id == researcher.id,
            Token.idempotency_key == key,
        )
    ).first()


def _ensure_repeatable(token: Token, requested: tuple[str, int, str], now: datetime) -> None:
    """Raises NotAllowed unless a repeated request may get the same token: the first answer may have been lost."""
    if requested != (token.scopes, token.days, token.label):
        why = "was used for other scopes, days or label"
    elif token.revoked is not None or token.expires <= now:
        why = "was used for a token that is revoked or expired"
    elif token.last_used is not None:
        why = "was used for a token that has been used since, so its text did arrive"
    else:
        return
    raise NotAllowed(
        f"idempotency_key: it {why} ({token.jti}); choose another key to issue another token.",
        parameter="idempotency_key",
        value=token.idempotency_key or "",
    )


def _ensure_days(days: int) -> None:
    if not 1 <= days <= MAX_LIFE.days:
        raise MalformedValue(
            f"days: {days} is not between 1 and {MAX_LIFE.days}; the default is {DEFAULT_DAYS}.",
            parameter="days",
            value=str(days),
        )


def _ensure_project_open(project: Project, now: datetime) -> None:
    if project.not_after <= now:
        why = f"ended on {project.not_after:%Y-%m-%d}"
    elif project.status != "active":
        why = f"is {project.status}"
    else:
        return
    raise NotAllowed(
        f"project: {project.reference} {why}; tokens are issued only for active projects.",
        parameter="project",
        value=project.reference,
    )
