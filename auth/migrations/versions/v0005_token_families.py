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

# SQLite cannot take a default from a column that exists. A server of an earlier version, which still runs, would store it:
# a family that tokens of several projects share.
_REFUSE_OLD_PROGRAMS = """
CREATE TRIGGER token_family_known BEFORE INSERT ON token WHEN NEW.family = ''
BEGIN SELECT RAISE(ABORT, 'token.family is missing: the program is older than the tables'); END
"""


def upgrade() -> None:
    # NOT NULL needs a default for the existing rows; all of them get their family below
    op.add_column("token", sa.Column("family", sa.String(40), nullable=False, server_default=""))
    _fill_families()
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("token", "family", server_default=None)
    else:
        op.execute(_REFUSE_OLD_PROGRAMS)
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
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER IF EXISTS token_family_known")
    op.drop_index("token_family", "token")
    op.drop_column("token", "family")
