"""Applications, versions of projects, notices to coordinators, scopes narrowed after issue, usage by day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_IDENTIFIER = sa.String(40)
_NAME = sa.String(200)
_WORD = sa.String(20)
_INSTANT = sa.DateTime(timezone=True)
_TABLES = ("usage_day", "notice", "project_version", "application")


def upgrade() -> None:
    op.create_table(
        "application",
        sa.Column("id", _IDENTIFIER, primary_key=True),
        sa.Column("reference", _NAME, nullable=False, unique=True),
        sa.Column("dsc", _NAME, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("scopes", _NAME, nullable=False),
        sa.Column("tier", sa.String(40), nullable=False),
        sa.Column("modality", sa.String(40), nullable=False),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("state", _WORD, nullable=False),
        sa.Column("received", _INSTANT, nullable=False),
        sa.Column("amendment_by", sa.Date, nullable=False),
        sa.Column("decided", _INSTANT),
        sa.Column("project_id", _IDENTIFIER, sa.ForeignKey("project.id")),
        sa.Column("version", sa.Integer, nullable=False),
        sa.CheckConstraint(
            "state IN ('submitted', 'returned', 'approved', 'rejected')", name="application_state"
        ),
        sa.CheckConstraint("first_day <= last_day", name="application_period"),
    )
    op.create_table(
        "project_version",
        sa.Column("project_id", _IDENTIFIER, sa.ForeignKey("project.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("actor", _NAME, nullable=False),
        sa.Column("reason", _NAME, nullable=False),
        sa.Column("status", _WORD, nullable=False),
        sa.Column("scopes", _NAME, nullable=False),
        sa.Column("tier", sa.String(40), nullable=False),
        sa.Column("not_before", _INSTANT, nullable=False),
        sa.Column("not_after", _INSTANT, nullable=False),
    )
    op.create_table(
        "notice",
        sa.Column("id", _IDENTIFIER, primary_key=True),
        sa.Column("project_id", _IDENTIFIER, sa.ForeignKey("project.id"), nullable=False),
        sa.Column("kind", _WORD, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("due", sa.Date, nullable=False),
        sa.Column("sent", _INSTANT),
        sa.CheckConstraint("kind IN ('access_begins', 'access_ends')", name="notice_kind"),
        sa.UniqueConstraint("project_id", "kind", "at", name="notice_once"),
    )
    op.create_table(
        "usage_day",
        sa.Column("project_id", _IDENTIFIER, sa.ForeignKey("project.id"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("requests", sa.BigInteger, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
    )
    op.add_column("token", sa.Column("narrowed", _NAME))


def downgrade() -> None:
    op.drop_column("token", "narrowed")
    for table in _TABLES:
        op.drop_table(table)
