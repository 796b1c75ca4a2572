"""The tables about admins: admins, their sessions, and consents that wait for a second person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from auth.db.models import Base


class Admin(Base):
    """A person with one role in the administration of the registry."""

    __tablename__ = "admin"
    __table_args__ = (
        CheckConstraint("role IN ('auditor', 'issuer', 'registrar', 'owner')", name="admin_role"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str] = mapped_column(String(20))
    since: Mapped[datetime]
    ended: Mapped[datetime | None]


class AdminSession(Base):
    """A session of an admin, for a limited time. Its token is shown once, and its row is looked up on every request."""

    __tablename__ = "admin_session"
    __table_args__ = (CheckConstraint("issued < expires", name="admin_session_period"),)

    jti: Mapped[str] = mapped_column(String(40), primary_key=True)
    admin_id: Mapped[str] = mapped_column(ForeignKey("admin.id"))
    kid: Mapped[str] = mapped_column(ForeignKey("signing_key.kid"))
    issued: Mapped[datetime]
    expires: Mapped[datetime]
    closed: Mapped[datetime | None]


class Consent(Base):
    """The consent of one person to an action that needs two persons. Each person has a row of their own."""

    __tablename__ = "consent"

    act: Mapped[str] = mapped_column(String(60), primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    actor: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    at: Mapped[datetime]
