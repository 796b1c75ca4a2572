"""The principal of a request: the claims of its token, checked against the registry on every request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, select

from auth.crypto.jwt import Claims
from auth.crypto.keyring import VERIFYING
from auth.db.models import Membership, Project, SigningKey, Token
from auth.errors import TokenRefused
from auth.scopes import read_scopes
from auth.tokens.issuing import is_revoked


@dataclass(frozen=True, slots=True)
class Principal:
    """The project and the researcher that a request is made for, and their current scopes, as the registry has them now."""

    project: str
    """Identifier of the project, `prj_...`; rate limits and usage are counted for it."""
    reference: str
    """Reference of the reasoned request."""
    tier: str
    scopes: frozenset[str]
    """The token's scopes that the project still has."""
    researcher: str
    """Identifier of the researcher, `res_...`."""
    token_id: str
    """The token's jti, `tok_...`: it grants no access, so it may be logged."""
    expires: datetime
    """When this access ends (UTC): the token's end or the project's, whichever comes first."""


SELECT_PRINCIPAL = (
    select(
        Token.project_id,
        Token.researcher_id,
        Token.kid,
        Token.scopes,
        Token.issued,
        Token.expires,
        Token.revoked,
        Token.replaced_by,
        Token.narrowed,
        Membership.since,
        Membership.ended,
        Project.reference,
        Project.tier,
        Project.scopes.label("project_scopes"),
        Project.status,
        Project.not_before,
        Project.not_after,
        SigningKey.status.label("key_status"),
    )
    .join(
        Membership,
        and_(Membership.project_id == Token.project_id, Membership.researcher_id == Token.researcher_id),
    )
    .join(Project, Project.id == Token.project_id)
    .join(SigningKey, SigningKey.kid == Token.kid)
    .where(Token.jti == bindparam("jti"))
)
"""One query by primary keys for everything that decides about a token: the token, the membership, the project, the key."""


def principal_from_row(row: Row[Any] | None, kid: str, claims: Claims, now: datetime) -> Principal:
    """The principal of a token whose signature and claims are valid. Raises TokenRefused if the registry does not accept it.

    The expiry of the token is not checked again: the claims were checked, and they must be equal to the row.
    """
    row = ensure_issued(row, kid, claims)
    if is_revoked(row.revoked, row.replaced_by, now):
        raise TokenRefused("revoked")
    if row.since > now or (row.ended is not None and row.ended <= now):
        raise TokenRefused("membership: not a member now")
    if row.status != "active":
        raise TokenRefused(f"project: {row.status}")
    if not row.not_before <= now < row.not_after:
        raise TokenRefused("project: outside its period")
    return Principal(
        project=row.project_id,
        reference=row.reference,
        tier=row.tier,
        scopes=_granted_scopes(row),
        researcher=row.researcher_id,
        token_id=claims.jti,
        expires=min(moment for moment in (row.expires, row.not_after, row.revoked) if moment is not None),
    )


def ensure_issued(row: Row[Any] | None, kid: str, claims: Claims) -> Row[Any]:
    """The row, if this registry issued a token with these claims and its key still verifies. Raises TokenRefused.

    The token may be revoked or have expired.
    """
    if row is None:
        raise TokenRefused("registry: the token is unknown")
    if not _matches_row(row, kid, claims):
        raise TokenRefused("registry: the claims differ from the token's row")
    if row.key_status not in VERIFYING:
        raise TokenRefused("registry: the key is not in use")
    return row


def _granted_scopes(row: Row[Any]) -> frozenset[str]:
    """The token's scopes after narrowing, as far as the project still has them."""
    return read_scopes(row.scopes if row.narrowed is None else row.narrowed) & read_scopes(row.project_scopes)


def _matches_row(row: Row[Any], kid: str, claims: Claims) -> bool:
    claimed = (kid, claims.client_id, claims.sub, claims.scope, claims.iat, claims.exp)
    stored = (
        row.kid,
        row.project_id,
        row.researcher_id,
        row.scopes,
        _epoch_second(row.issued),
        _epoch_second(row.expires),
    )
    return claimed == stored


def _epoch_second(moment: datetime) -> int:
    return int(moment.timestamp())
