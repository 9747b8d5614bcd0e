"""Groups and memberships."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from youworker_app.models.base import id_field, reference, time_field


class Group(SQLModel, table=True):
    """A team. `default_right` is what its members may do with its documents (1 ask, 2 view, 3 download)."""

    __tablename__ = "groups"
    __table_args__ = (UniqueConstraint("name_key"),)

    id: str = id_field()
    name: str = Field(max_length=128)
    name_key: str = Field(max_length=256)
    description: str = Field(default="", max_length=500)
    default_right: int = 3
    created_at: datetime = time_field()


class Membership(SQLModel, table=True):
    """One person in one group, as `member` or `admin`."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("group_id", "user_id"),)

    id: str = id_field()
    group_id: str = reference("groups.id")
    user_id: str = reference("users.id")
    role: str = Field(default="member", max_length=16)
    joined_at: datetime = time_field()
