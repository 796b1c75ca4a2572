"""The registry's tables: who was let in, under which reasoned request, with what, and what was done."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Instant(TypeDecorator[datetime]):
    """A moment in UTC, to the microsecond: text in SQLite, `timestamptz` in PostgreSQL, aware in Python."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables of the registry; auth/migrations makes them."""

    type_annotation_map: ClassVar = {datetime: Instant(), str: String(200)}


class Institution(Base):
    """A research organisation, DSA Art. 40(8)(a)."""

    __tablename__ = "institution"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created: Mapped[datetime]


class Researcher(Base):
    """A person. Identity is per person; being vetted is per project and stands in `membership`."""

    __tablename__ = "researcher"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)
    institution_id: Mapped[str] = mapped_column(ForeignKey("institution.id"))
    created: Mapped[datetime]


class Project(Base):
    """Access under one reasoned request of a Digital Services Coordinator (DSC), DSA Art. 40(4)."""

    __tablename__ = "project"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended', 'ended')", name="project_status"),
        CheckConstraint("not_before < not_after", name="project_period"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    """Of the reasoned request."""
    dsc: Mapped[str]
    """The coordinator that sent the request."""
    purpose: Mapped[str] = mapped_column(Text)
    scopes: Mapped[str]
    """Sorted, with one space between."""
    tier: Mapped[str] = mapped_column(String(40))
    modality: Mapped[str] = mapped_column(String(40), server_default="token_aggregates")
    status: Mapped[str] = mapped_column(String(20))
    not_before: Mapped[datetime]
    """The first moment of access."""
    not_after: Mapped[datetime]
    """The first moment without access: the start, in UTC, of the day after the last."""
    created: Mapped[datetime]
    version: Mapped[int] = mapped_column()
    """Counts the changes of this row; the audit says what they were."""

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy declares it so


class Application(Base):
    """A reasoned request as it is handled, until it is approved, which makes its project, or rejected."""

    __tablename__ = "application"
    __table_args__ = (
        CheckConstraint(
            "state IN ('submitted', 'returned', 'approved', 'rejected')", name="application_state"
        ),
        CheckConstraint("first_day <= last_day", name="application_period"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)
    dsc: Mapped[str]
    """The member state of the coordinator, ISO 3166-1."""
    purpose: Mapped[str] = mapped_column(Text)
    scopes: Mapped[str]
    tier: Mapped[str] = mapped_column(String(40))
    modality: Mapped[str] = mapped_column(String(40))
    first_day: Mapped[date]
    last_day: Mapped[date]
    state: Mapped[str] = mapped_column(String(20))
    received: Mapped[datetime]
    amendment_by: Mapped[date]
    """Until when the provider may ask the coordinator to amend the request, DSA Art. 40(5)."""
    decided: Mapped[datetime | None]
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id"))
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy declares it so


class Clock(Base):
    """A period that runs while a request is argued about; `ended` is when what was due in it was done."""

    __tablename__ = "clock"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('amendment-decision', 'mediation-request', 'mediator', 'mediation')", name="clock_kind"
        ),
    )

    application_id: Mapped[str] = mapped_column(ForeignKey("application.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    began: Mapped[datetime] = mapped_column(primary_key=True)
    due: Mapped[date]
    ended: Mapped[datetime | None]


class ProjectVersion(Base):
    """What a project was from a moment on: one row for each change, the first when it was made."""

    __tablename__ = "project_version"

    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str]
    reason: Mapped[str]
    status: Mapped[str] = mapped_column(String(20))
    scopes: Mapped[str]
    tier: Mapped[str] = mapped_column(String(40))
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]


class Notice(Base):
    """What the coordinator must be told within three working days (Delegated Regulation (EU) 2025/2050, Art. 15(1))."""

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("kind IN ('access_begins', 'access_ends')", name="notice_kind"),
        UniqueConstraint("project_id", "kind", "at", name="notice_once"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"))
    kind: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]
    due: Mapped[date]
    sent: Mapped[datetime | None]


class UsageDay(Base):
    """What a project took in a day (UTC)."""

    __tablename__ = "usage_day"

    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)


class Membership(Base):
    """One researcher vetted for one project; `ended` is when that stopped."""

    __tablename__ = "membership"

    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), primary_key=True)
    researcher_id: Mapped[str] = mapped_column(ForeignKey("researcher.id"), primary_key=True)
    since: Mapped[datetime]
    ended: Mapped[datetime | None]


class SigningKey(Base):
    """The public half of an ES256 key. The private half is a file that only its owner may read."""

    __tablename__ = "signing_key"
    __table_args__ = (
        CheckConstraint("purpose IN ('token', 'release', 'audit')", name="signing_key_purpose"),
        CheckConstraint("status IN ('next', 'active', 'retired', 'revoked')", name="signing_key_status"),
    )

    kid: Mapped[str] = mapped_column(String(40), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20))
    public_pem: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime]
    activated: Mapped[datetime | None]
    retired: Mapped[datetime | None]


class Token(Base):
    """One token of one member. Its text is nowhere: it is shown once and signed, not stored."""

    __tablename__ = "token"
    __table_args__ = (
        ForeignKeyConstraint(
            ["project_id", "researcher_id"], ["membership.project_id", "membership.researcher_id"]
        ),
        UniqueConstraint("project_id", "researcher_id", "idempotency_key", name="token_idempotency"),
        CheckConstraint("issued < expires", name="token_period"),
    )

    jti: Mapped[str] = mapped_column(String(40), primary_key=True)
    project_id: Mapped[str] = mapped_column(String(40))
    researcher_id: Mapped[str] = mapped_column(String(40))
    kid: Mapped[str] = mapped_column(ForeignKey("signing_key.kid"))
    scopes: Mapped[str]
    label: Mapped[str]
    issued: Mapped[datetime]
    expires: Mapped[datetime]
    idempotency_key: Mapped[str | None]
    days: Mapped[int]
    """The lifetime asked for; the project's end may have cut it."""
    last_used: Mapped[datetime | None]
    revoked: Mapped[datetime | None]
    """From when on it opens nothing; in the future while the token that replaced it overlaps with it."""
    narrowed: Mapped[str | None]
    """The scopes that are left of those it was issued with, where it was narrowed since."""
    replaced_by: Mapped[str | None] = mapped_column(ForeignKey("token.jti"))


class AuditEvent(Base):
    """One act, chained to the one before it. Rows are only ever added: triggers refuse anything else."""

    __tablename__ = "audit_event"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str]
    act: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str]
    reason: Mapped[str]
    details: Mapped[str] = mapped_column(Text)
    """Canonical JSON. Identifiers, never names or addresses of people: this table cannot forget."""
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The last event of the audit, signed, so that a tail cannot be cut unseen. One row."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="audit_head_is_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(Text)
