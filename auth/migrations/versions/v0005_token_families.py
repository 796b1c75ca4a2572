"""The family of each token: the first token of the chain of rotations that it belongs to.

Every rotation since version 0001 has stored its successor in `replaced_by`, so the family of each existing token is known.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # NOT NULL needs a default for the existing rows; all of them get their family below
    op.add_column("token", sa.Column("family", sa.String(40), nullable=False, server_default=""))
    _fill_families()
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("token", "family", server_default=None)
    op.create_index("token_family", "token", ["family", "revoked"])


def _fill_families() -> None:
    rows = op.get_bind().execute(sa.text("SELECT jti, replaced_by FROM token")).all()
    families = [{"jti": jti, "family": family} for jti, family in _families(dict(rows)).items()]
    if families:
        op.get_bind().execute(sa.text("UPDATE token SET family = :family WHERE jti = :jti"), families)


def _families(successors: dict[str, str | None]) -> dict[str, str]:
    """The first token of the chain of each token, from the successor of each token."""
    families = {}
    for first in successors.keys() - set(successors.values()):
        token: str | None = first
        while token is not None:
            families[token] = first
            token = successors[token]
    return families


def downgrade() -> None:
    op.drop_index("token_family", "token")
    op.drop_column("token", "family")
