"""People, their login sessions, their API keys, and the wrapped data keys."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKeyConstraint, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from youworker_app.models.base import ID_LENGTH, id_field, optional_time_field, reference, time_field


class EncryptionKey(SQLModel, table=True):
    """A data key of one user or one stored file, wrapped by the master key. Deleting the row erases what it sealed."""

    __tablename__ = "encryption_keys"

    id: str = id_field()
    purpose: str = Field(max_length=16)  # user | file
    wrapped: bytes = Field(sa_type=LargeBinary)
    created_at: datetime = time_field()


class User(SQLModel, table=True):
    """A person. `username_key` is the casefolded name that makes it unique."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("username_key"),)

    id: str = id_field()
    username: str = Field(max_length=64)
    username_key: str = Field(max_length=128)
    password_hash: str | None = Field(default=None, max_length=256)
    is_root: bool = False
    is_active: bool = True
    language: str = Field(default="", max_length=8)  # empty: as the browser asks
    theme: str = Field(default="system", max_length=8)
    key_id: str = reference("encryption_keys.id", index=False, on_delete="RESTRICT")
    reset_hash: str | None = Field(default=None, max_length=64)  # of a one-time link's token
    reset_expires_at: datetime | None = optional_time_field()
    held_at: datetime | None = optional_time_field()  # since then what they asked and were answered must stay
    created_at: datetime = time_field()


class LoginSession(SQLModel, table=True):
    """A signed-in browser. The cookie's token is kept as a hash."""

    __tablename__ = "login_sessions"

    id: str = id_field()
    token_hash: str = Field(max_length=64, unique=True)
    user_id: str = reference("users.id")
    user_agent: str = Field(default="", max_length=256)
    address: str = Field(default="", max_length=64)
    created_at: datetime = time_field()
    last_seen_at: datetime = time_field()
    expires_at: datetime = time_field()


class Identity(SQLModel, table=True):
    """Who a person is elsewhere: the only thing that a sign-in there is recognised by. One of them belongs to one person."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: str = id_field()
    user_id: str = reference("users.id")
    issuer: str = Field(max_length=512)
    subject: str = Field(max_length=255)
    created_at: datetime = time_field()


class ProviderSession(SQLModel, table=True):
    """A login session that began at a provider: what it takes to end the one there too, and to be told when it ended."""

    __tablename__ = "provider_sessions"

    id: str = id_field()
    login_session_id: str = reference("login_sessions.id")
    identity_id: str = reference("identities.id")
    provider_session: str = Field(default="", max_length=255, index=True)
    sealed_token: bytes = Field(sa_type=LargeBinary)  # the ID token, which names the person
    created_at: datetime = time_field()


class ApiKey(SQLModel, table=True):
    """A key for scripts: shown once, kept as a hash beside a visible prefix.

    `line_id` is the id of the first key of which this one is a successor, its own where there was none before it.
    """

    __tablename__ = "api_keys"

    id: str = id_field()
    owner_id: str = reference("users.id")
    name: str = Field(max_length=64)
    prefix: str = Field(max_length=16)
    key_hash: str = Field(max_length=64, unique=True)
    scopes: list[str] = Field(sa_type=JSON)
    created_at: datetime = time_field()
    expires_at: datetime = time_field()
    last_used_at: datetime | None = optional_time_field()
    last_used_address: str = Field(default="", max_length=64)
    is_narrowed: bool = False  # to the groups in api_key_groups, which may be none any more
    is_replaced: bool = False
    line_id: str = Field(max_length=ID_LENGTH)
    origin: str = Field(default="", max_length=16)  # where it is made and ended, if not here


class ApiKeyGroup(SQLModel, table=True):
    """A group to which a key is narrowed. It hangs on the membership: whoever leaves takes it from their keys."""

    __tablename__ = "api_key_groups"
    __table_args__ = (
        ForeignKeyConstraint(
            ["group_id", "owner_id"], ["memberships.group_id", "memberships.user_id"], ondelete="CASCADE"
        ),
    )

    key_id: str = Field(primary_key=True, foreign_key="api_keys.id", ondelete="CASCADE", max_length=ID_LENGTH)
    group_id: str = Field(primary_key=True, max_length=ID_LENGTH, index=True)
    owner_id: str = Field(max_length=ID_LENGTH)


class InstallationFact(SQLModel, table=True):
    """A fact about the installation itself, such as the setup token's hash or that root exists."""

    __tablename__ = "installation_facts"

    name: str = Field(primary_key=True, max_length=64)
    value: str = Field(max_length=1_024)
    created_at: datetime = time_field()
