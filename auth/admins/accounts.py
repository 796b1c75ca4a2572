"""Accounts of admins: added, given another role, ended."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from auth.admins.consents import clear_consents_of
from auth.admins.roles import ROLES
from auth.audit.chain import Mandate
from auth.audit.transaction import BeginTransaction
from auth.db.admin_models import Admin, AdminSession
from auth.db.engine import snapshot
from auth.errors import MalformedValue, NotAllowed, UnknownRecord, printable, similar_options
from auth.identifiers import new_identifier
from auth.validation import ensure_email, ensure_text


class Admins:
    """The admins of one registry. Each change is committed together with its audit event."""

    def __init__(self, engine: Engine, begin: BeginTransaction) -> None:
        self._engine, self._begin = engine, begin

    def add(self, name: str, email: str, role: str, mandate: Mandate) -> Admin:
        """Raises MalformedValue, NotAllowed."""
        _ensure_role(role)
        with self._begin(mandate) as transaction:
            session = transaction.session
            address = ensure_email("email", email)
            known = session.scalars(select(Admin).where(Admin.email == address)).first()
            if known is not None and known.ended is None:
                raise NotAllowed(
                    f"email: {printable(address)!r} is an admin already; another role is given with 'admins change'.",
                    parameter="email",
                    value=address,
                )
            admin = known or Admin(id=new_identifier("adm"), email=address)
            admin.name, admin.role, admin.since, admin.ended = (
                ensure_text("name", name),
                role,
                mandate.at,
                None,
            )
            session.add(admin)
            session.flush()
            transaction.record("admin.returned" if known else "admin.added", admin.id, role=role)
        return admin

    def change_role(self, name: str, role: str, mandate: Mandate) -> Admin:
        """Give an admin another role, from the next request on. The consents that they gave lapse.

        Raises UnknownRecord, MalformedValue, NotAllowed.
        """
        _ensure_role(role)
        with self._begin(mandate) as transaction:
            admin = find_active_admin(transaction.session, name)
            clear_consents_of(transaction.session, f"admin:{admin.id}")
            before, admin.role = admin.role, role
            transaction.session.flush()
            transaction.record("admin.changed", admin.id, role=role, before=before)
        return admin

    def end(self, name: str, mandate: Mandate) -> Admin:
        """End an admin's account: their sessions are closed, and the consents that they gave lapse.

        Raises UnknownRecord.
        """
        with self._begin(mandate) as transaction:
            admin = find_admin(transaction.session, name)
            admin.ended = admin.ended or mandate.at
            clear_consents_of(transaction.session, f"admin:{admin.id}")
            transaction.session.execute(
                update(AdminSession)
                .where(AdminSession.admin_id == admin.id, AdminSession.closed.is_(None))
                .values(closed=mandate.at)
            )
            transaction.record("admin.ended", admin.id)
        return admin

    def list(self) -> Sequence[Admin]:
        """Every admin, the active ones first."""
        with snapshot(self._engine) as session:
            return session.scalars(select(Admin).order_by(Admin.ended.is_not(None), Admin.email)).all()


def find_admin(session: Session, name: str) -> Admin:
    """The admin of this identifier or address, whose account may be ended. Raises UnknownRecord."""
    admin = session.scalars(
        select(Admin).where((Admin.id == name) | (Admin.email == name.strip().lower()))
    ).first()
    if admin is None:
        raise UnknownRecord(
            f"admin: there is no admin {printable(name)!r}; see 'admins list'.",
            parameter="admin",
            value=name,
        )
    return admin


def find_active_admin(session: Session, name: str) -> Admin:
    """The admin of this identifier or address. Raises UnknownRecord, and NotAllowed if the account is ended."""
    admin = find_admin(session, name)
    if admin.ended is not None:
        raise NotAllowed(f"admin: {admin.id} is no longer an admin.", parameter="admin", value=admin.id)
    return admin


def _ensure_role(role: str) -> None:
    if role not in ROLES:
        raise MalformedValue(
            f"role: {printable(role)!r} is none of {', '.join(ROLES)}.",
            parameter="role", value=role, allowed=ROLES, suggestions=similar_options(role, ROLES),
        )  # fmt: skip
