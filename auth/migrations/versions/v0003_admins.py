"""Admins, their sessions, consents to actions that need two persons; the modality of projects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_IDENTIFIER = sa.String(40)
_NAME = sa.String(200)
_INSTANT = sa.DateTime(timezone=True)
_TABLES = ("consent", "admin_session", "admin")


def upgrade() -> None:
    op.create_table(
        "admin",
        sa.Column("id", _IDENTIFIER, primary_key=True),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("email", _NAME, nullable=False, unique=True),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("ended", _INSTANT),
        sa.CheckConstraint("role IN ('auditor', 'issuer', 'registrar', 'owner')", name="admin_role"),
    )
    op.create_table(
        "admin_session",
        sa.Column("jti", _IDENTIFIER, primary_key=True),
        sa.Column("admin_id", _IDENTIFIER, sa.ForeignKey("admin.id"), nullable=False),
        sa.Column("kid", _IDENTIFIER, sa.ForeignKey("signing_key.kid"), nullable=False),
        sa.Column("issued", _INSTANT, nullable=False),
        sa.Column("expires", _INSTANT, nullable=False),
        sa.Column("closed", _INSTANT),
        sa.CheckConstraint("issued < expires", name="admin_session_period"),
    )
    op.create_table(
        "consent",
        sa.Column("act", sa.String(60), primary_key=True),
        sa.Column("subject", _NAME, primary_key=True),
        sa.Column("actor", _NAME, nullable=False),
        sa.Column("reason", _NAME, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
    )

    op.add_column(
        "project", sa.Column("modality", sa.String(40), nullable=False, server_default="token_aggregates")
    )


def downgrade() -> None:
    op.drop_column("project", "modality")
    for table in _TABLES:
        op.drop_table(table)
