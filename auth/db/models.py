"""The registry's tables: researchers, projects, applications, tokens, keys, notices, usage, and the audit log."""

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
    Index,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Instant(TypeDecorator[datetime]):
    """A time in UTC, to the microsecond: text in SQLite, `timestamptz` in PostgreSQL, a datetime with time zone in Python."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The base of all tables of the registry. The migrations in auth/migrations create them."""

    type_annotation_map: ClassVar = {datetime: Instant(), str: String(200)}


class Institution(Base):
    """A research organisation, DSA Art. 40(8)(a)."""

    __tablename__ = "institution"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created: Mapped[datetime]


class Researcher(Base):
    """A person. There is one row for each person; being vetted is per project and is stored in `membership`."""

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
    """The start of access."""
    not_after: Mapped[datetime]
    """The end of access: 00:00 UTC on the day after the last day."""
    created: Mapped[datetime]
    version: Mapped[int] = mapped_column()
    """Counts the changes of this row; the audit log has their details."""

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy declares it so


class Application(Base):
    """A reasoned request that is being handled, until it is rejected, or approved, which creates its project."""

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
    """The last day on which the provider may ask the coordinator to amend the request, DSA Art. 40(5)."""
    decided: Mapped[datetime | None]
    project_id: Mapped[str | None] = mapped_column(ForeignKey("project.id"))
    version: Mapped[int] = mapped_column()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy declares it so


class Clock(Base):
    """A statutory deadline that runs after an amendment or a mediation was requested; `ended` is when the action was done."""

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
    """The state of a project from a time on: one row when it was created, and one for each change."""

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
    """A notice that the coordinator must get within three working days (Delegated Regulation (EU) 2025/2050, Art. 15(1))."""

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
    """What a project used on a day (UTC)."""

    __tablename__ = "usage_day"

    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)


class Membership(Base):
    """A researcher who is vetted for a project; `ended` is when the membership ended."""

    __tablename__ = "membership"

    project_id: Mapped[str] = mapped_column(ForeignKey("project.id"), primary_key=True)
    researcher_id: Mapped[str] = mapped_column(ForeignKey("researcher.id"), primary_key=True)
    since: Mapped[datetime]
    ended: Mapped[datetime | None]


class SigningKey(Base):
    """The public key of an ES256 key pair. The private key is a file that only its owner can read."""

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
    """A token of a member of a project. Its text is not stored: it is signed and shown once."""

    __tablename__ = "token"
    __table_args__ = (
        ForeignKeyConstraint(
            ["project_id", "researcher_id"], ["membership.project_id", "membership.researcher_id"]
        ),
        UniqueConstraint("project_id", "researcher_id", "idempotency_key", name="token_idempotency"),
        CheckConstraint("issued < expires", name="token_period"),
        Index("token_family", "family", "revoked"),
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
    """The lifetime that was requested; the token may end earlier, with its project."""
    last_used: Mapped[datetime | None]
    revoked: Mapped[datetime | None]
    """When it stops being valid. This is in the future while its replacement overlaps with it."""
    narrowed: Mapped[str | None]
    """The scopes that are left, if it was narrowed since it was issued."""
    replaced_by: Mapped[str | None] = mapped_column(ForeignKey("token.jti"))
    family: Mapped[str] = mapped_column(String(40))
    """The first token of its chain of rotations: its own jti, unless it was issued to replace another token."""


class AuditEvent(Base):
    """An event of the audit log, chained to the event before it. Rows are only added: triggers refuse all other changes."""

    __tablename__ = "audit_event"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str]
    act: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str]
    reason: Mapped[str]
    details: Mapped[str] = mapped_column(Text)
    """Canonical JSON of identifiers, never of names or addresses of people, since rows cannot be deleted."""
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The signed position of the last event, so that deleting the last events is detected. One row."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="audit_head_is_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(Text)
