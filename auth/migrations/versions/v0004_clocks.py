"""Consents of several people to one action; deadlines that run after an amendment or a mediation was requested."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from auth.calendar import after_days

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_IDENTIFIER = sa.String(40)
_NAME = sa.String(200)
_WORD = sa.String(20)
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    words = _words_from("consent")
    op.drop_table("consent")
    _make_consent("act", "subject", "actor")
    _keep(words)
    op.create_table(
        "clock",
        sa.Column("application_id", _IDENTIFIER, sa.ForeignKey("application.id"), primary_key=True),
        sa.Column("kind", _WORD, primary_key=True),
        sa.Column("began", _INSTANT, primary_key=True),
        sa.Column("due", sa.Date, nullable=False),
        sa.Column("ended", _INSTANT),
        sa.CheckConstraint(
            "kind IN ('amendment-decision', 'mediation-request', 'mediator', 'mediation')", name="clock_kind"
        ),
    )
    _start_clocks()


def _start_clocks() -> None:
    """Requests that were given back wait for the coordinator's decision since then."""
    found = op.get_bind().execute(
        sa.text(
            "SELECT a.id, a.dsc, max(e.at) AS began FROM application a JOIN audit_event e ON e.subject = a.id "
            "WHERE a.state = 'returned' AND e.act = 'application.returned' GROUP BY a.id, a.dsc"
        ).columns(began=_INSTANT)
    )
    for row in found.all():
        op.get_bind().execute(
            sa.text(
                "INSERT INTO clock (application_id, kind, began, due) VALUES (:id, 'amendment-decision', :began, :due)"
            ).bindparams(
                sa.bindparam("began", row.began, _INSTANT),
                sa.bindparam("due", after_days(row.began.date(), 15, row.dsc), sa.Date),
                id=row.id,
            )
        )


def downgrade() -> None:
    op.drop_table("clock")
    latest = {(word["act"], word["subject"]): word for word in _words_from("consent")}
    op.drop_table("consent")
    _make_consent("act", "subject")
    _keep(list(latest.values()))


def _make_consent(*key: str) -> None:
    op.create_table(
        "consent",
        sa.Column("act", sa.String(60), nullable=False),
        sa.Column("subject", _NAME, nullable=False),
        sa.Column("actor", _NAME, nullable=False),
        sa.Column("reason", _NAME, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint(*key),
    )


def _words_from(table: str) -> list[dict[str, object]]:
    found = op.get_bind().execute(sa.text(f"SELECT * FROM {table} ORDER BY at"))
    return [dict(row) for row in found.mappings()]


def _keep(words: list[dict[str, object]]) -> None:
    statement = sa.text(
        "INSERT INTO consent (act, subject, actor, reason, at) VALUES (:act, :subject, :actor, :reason, :at)"
    )
    if words:
        op.get_bind().execute(statement, words)
