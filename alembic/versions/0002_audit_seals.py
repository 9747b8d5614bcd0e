"""The audit trail: where from and by which credential, persons beside commitments, and the blocks that seal it.

Events of before keep their form (version 1), which their MAC is made of.

Revision ID: 0002
Revises: 0001
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_TEXTS = {
    "address": 64,
    "credential_id": 64,
    "actor_salt": 64,
    "actor_commitment": 64,
    "subject_salt": 64,
    "subject_commitment": 64,
}


def upgrade() -> None:
    op.add_column("audit_events", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    for name, length in _TEXTS.items():
        column = sa.Column(name, sa.String(length), nullable=False, server_default="")
        op.add_column("audit_events", column)
    op.add_column("audit_events", sa.Column("subject_id", sa.String(36), nullable=True))
    op.add_column("audit_events", sa.Column("block_seq", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_audit_events_subject_id"), "audit_events", ["subject_id"])
    op.create_index(op.f("ix_audit_events_block_seq"), "audit_events", ["block_seq"])
    _create_audit_blocks()


def _create_audit_blocks() -> None:
    op.create_table(
        "audit_blocks",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("root", sa.String(64), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.Column("anchored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retirement", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_blocks")),
    )


def downgrade() -> None:
    op.drop_table("audit_blocks")
    op.drop_index(op.f("ix_audit_events_block_seq"), table_name="audit_events")
    op.drop_index(op.f("ix_audit_events_subject_id"), table_name="audit_events")
    for name in ("block_seq", "subject_id", *reversed(_TEXTS), "version"):
        op.drop_column("audit_events", name)
