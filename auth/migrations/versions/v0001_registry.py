"""The first tables: institutions, researchers, projects, members, keys, tokens, and the audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_IDENTIFIER = sa.String(40)
_NAME = sa.String(200)
_WORD = sa.String(20)
_INSTANT = sa.DateTime(timezone=True)

_SQLITE_GUARD = """
CREATE TRIGGER audit_event_{name} BEFORE {event} BEGIN SELECT RAISE(ABORT, 'audit events are {rule}'); END
"""
_SQLITE_GUARDS = (
    _SQLITE_GUARD.format(name="no_update", event="UPDATE ON audit_event", rule="never changed"),
    _SQLITE_GUARD.format(name="no_delete", event="DELETE ON audit_event", rule="never deleted"),
    _SQLITE_GUARD.format(
        name="in_order",
        event="INSERT ON audit_event WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM audit_event)",
        rule="added at the end",
    ),
)
_REFUSE = """
CREATE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'audit events are never changed or deleted'
    USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
_NO_CHANGE = """
CREATE TRIGGER audit_event_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_refuse()
"""
_APPEND = """
CREATE FUNCTION audit_event_append() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.seq IS DISTINCT FROM (SELECT coalesce(max(seq), 0) + 1 FROM audit_event) THEN
        RAISE EXCEPTION 'audit events are added at the end'
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""
_IN_ORDER = """
CREATE TRIGGER audit_event_in_order BEFORE INSERT ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_event_append()
"""
_POSTGRESQL_GUARDS = (_REFUSE, _NO_CHANGE, _APPEND, _IN_ORDER)
_TABLES = (
    "audit_head",
    "audit_event",
    "token",
    "signing_key",
    "membership",
    "project",
    "researcher",
    "institution",
)


def upgrade() -> None:
    _create_people()
    _create_tokens()
    _create_audit()
    sqlite = op.get_bind().dialect.name == "sqlite"
    for guard in _SQLITE_GUARDS if sqlite else _POSTGRESQL_GUARDS:
        op.execute(guard)


def _create_people() -> None:
    op.create_table(
        "institution",
        sa.Column("id", _IDENTIFIER, primary_key=True),
        sa.Column("name", _NAME, nullable=False, unique=True),
        sa.Column("created", _INSTANT, nullable=False),
    )
    op.create_table(
        "researcher",
        sa.Column("id", _IDENTIFIER, primary_key=True),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("email", _NAME, nullable=False, unique=True),
        sa.Column("institution_id", _IDENTIFIER, sa.ForeignKey("institution.id"), nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
    )
    op.create_table(
        "project",
        sa.Column("id", _IDENTIFIER, primary_key=True),
        sa.Column("reference", _NAME, nullable=False, unique=True),
        sa.Column("dsc", _NAME, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("scopes", _NAME, nullable=False),
        sa.Column("tier", sa.String(40), nullable=False),
        sa.Column("status", _WORD, nullable=False),
        sa.Column("not_before", _INSTANT, nullable=False),
        sa.Column("not_after", _INSTANT, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint("status IN ('active', 'suspended', 'ended')", name="project_status"),
        sa.CheckConstraint("not_before < not_after", name="project_period"),
    )
    op.create_table(
        "membership",
        sa.Column("project_id", _IDENTIFIER, sa.ForeignKey("project.id"), primary_key=True),
        sa.Column("researcher_id", _IDENTIFIER, sa.ForeignKey("researcher.id"), primary_key=True),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("ended", _INSTANT),
    )


def _create_tokens() -> None:
    op.create_table(
        "signing_key",
        sa.Column("kid", _IDENTIFIER, primary_key=True),
        sa.Column("purpose", _WORD, nullable=False),
        sa.Column("status", _WORD, nullable=False),
        sa.Column("public_pem", sa.Text, nullable=False),
        sa.Column("created", _INSTANT, nullable=False),
        sa.Column("activated", _INSTANT),
        sa.Column("retired", _INSTANT),
        sa.CheckConstraint("purpose IN ('token', 'release', 'audit')", name="signing_key_purpose"),
        sa.CheckConstraint("status IN ('next', 'active', 'retired', 'revoked')", name="signing_key_status"),
    )
    op.create_table(
        "token",
        sa.Column("jti", _IDENTIFIER, primary_key=True),
        sa.Column("project_id", _IDENTIFIER, nullable=False),
        sa.Column("researcher_id", _IDENTIFIER, nullable=False),
        sa.Column("kid", _IDENTIFIER, sa.ForeignKey("signing_key.kid"), nullable=False),
        sa.Column("scopes", _NAME, nullable=False),
        sa.Column("label", _NAME, nullable=False),
        sa.Column("issued", _INSTANT, nullable=False),
        sa.Column("expires", _INSTANT, nullable=False),
        sa.Column("idempotency_key", _NAME),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("last_used", _INSTANT),
        sa.Column("revoked", _INSTANT),
        sa.Column("replaced_by", _IDENTIFIER, sa.ForeignKey("token.jti")),
        sa.ForeignKeyConstraint(
            ["project_id", "researcher_id"], ["membership.project_id", "membership.researcher_id"]
        ),
        sa.UniqueConstraint("project_id", "researcher_id", "idempotency_key", name="token_idempotency"),
        sa.CheckConstraint("issued < expires", name="token_period"),
    )


def _create_audit() -> None:
    op.create_table(
        "audit_event",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("actor", _NAME, nullable=False),
        sa.Column("act", sa.String(60), nullable=False),
        sa.Column("subject", _NAME, nullable=False),
        sa.Column("reason", _NAME, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.CheckConstraint("id = 1", name="audit_head_is_one"),
    )


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_event_refuse()")
        op.execute("DROP FUNCTION audit_event_append()")
