"""API keys that are made elsewhere: where.

Revision ID: 0007
Revises: 0006
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | Sequence[str] | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """All that there are were made here."""
    op.add_column("api_keys", sa.Column("origin", sa.String(16), nullable=False, server_default=""))


def downgrade() -> None:
    """Those that were not go: a release before would take them for keys that are rotated here."""
    keys = sa.table("api_keys", sa.column("id", sa.String), sa.column("origin", sa.String))
    groups = sa.table("api_key_groups", sa.column("key_id", sa.String))
    foreign = sa.select(keys.c.id).where(keys.c.origin != "")
    op.execute(groups.delete().where(groups.c.key_id.in_(foreign)))
    op.execute(keys.delete().where(keys.c.origin != ""))
    op.drop_column("api_keys", "origin")
