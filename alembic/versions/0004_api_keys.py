"""API keys: narrowed to groups, replaced by a successor, from where they were last used; which key a conversation is of.

Keys of before are not narrowed, and each begins a line of its own.

Revision ID: 0004
Revises: 0003
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | Sequence[str] | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


_NEW = (
    sa.Column("last_used_address", sa.String(64), nullable=False, server_default=""),
    sa.Column("is_narrowed", sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.Column("is_replaced", sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.Column("line_id", sa.String(36), nullable=False, server_default=""),
)


def upgrade() -> None:
    for column in _NEW:
        op.add_column("api_keys", column._copy())
    keys = sa.table("api_keys", sa.column("id", sa.String), sa.column("line_id", sa.String))
    op.execute(keys.update().values(line_id=keys.c.id))
    op.add_column("chat_sessions", sa.Column("key_line", sa.String(36), nullable=True))
    _create_api_key_groups()


def _create_api_key_groups() -> None:
    op.create_table(
        "api_key_groups",
        sa.Column("key_id", sa.String(36), nullable=False),
        sa.Column("group_id", sa.String(36), nullable=False),
        sa.Column("owner_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id", "owner_id"],
            ["memberships.group_id", "memberships.user_id"],
            name=op.f("fk_api_key_groups_group_id_owner_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_keys.id"], name=op.f("fk_api_key_groups_key_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key_id", "group_id", name=op.f("pk_api_key_groups")),
    )
    op.create_index(op.f("ix_api_key_groups_group_id"), "api_key_groups", ["group_id"])


def downgrade() -> None:
    """Narrowed keys go: without their groups they would open everything."""
    keys = sa.table("api_keys", sa.column("is_narrowed", sa.Boolean))
    op.execute(keys.delete().where(keys.c.is_narrowed))
    op.drop_index(op.f("ix_api_key_groups_group_id"), table_name="api_key_groups")
    op.drop_table("api_key_groups")
    op.drop_column("chat_sessions", "key_line")
    for column in reversed(_NEW):
        op.drop_column("api_keys", column.name)
