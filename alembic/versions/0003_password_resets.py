"""A one-time link to a new password: the hash of its token beside the person, and until when it opens.

Revision ID: 0003
Revises: 0002
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | Sequence[str] | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Nobody has a link yet."""
    op.add_column("users", sa.Column("reset_hash", sa.String(64), nullable=True))
    op.add_column("users", sa.Column("reset_expires_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Links that were not used are lost."""
    op.drop_column("users", "reset_expires_at")
    op.drop_column("users", "reset_hash")
