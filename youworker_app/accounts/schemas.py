"""Frozen inputs and views of accounts."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from youworker_app.access.credentials import Carrier as Carrier
from youworker_app.access.credentials import Credential as Credential
from youworker_app.groups.schemas import GroupView

# What each preference can be; a language of "" is the one that the browser asks for.
CHOICES: Final = {"language": ("", "en", "it"), "theme": ("system", "light", "dark")}


@dataclass(frozen=True)
class Client:
    """Where a request comes from, for the list of signed-in devices and the audit trail."""

    address: str = ""
    user_agent: str = ""
    device: str = field(default="", repr=False)  # the cookie that vouches for a known browser


@dataclass(frozen=True)
class UserView:
    """`has_password`: false until somebody who was made without one has chosen it by a link. `is_held`: their chats must
    stay, whoever would delete them. `has_identity`: they can sign in at a provider, told in lists of people alone."""

    id: str
    username: str
    is_root: bool
    is_active: bool
    language: str
    theme: str
    created_at: datetime
    has_password: bool
    is_held: bool = False
    has_identity: bool = False


@dataclass(frozen=True)
class DeviceView:
    """A signed-in browser. `browser` and `system` are what it said of itself, empty where that means nothing."""

    id: str
    browser: str
    system: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    is_current: bool


@dataclass(frozen=True)
class SignedIn:
    """A fresh sign-in: `token` goes into the HttpOnly cookie and nowhere else, `csrf_token` to the page."""

    user: UserView
    token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    expires_at: datetime
    device: str = field(default="", repr=False)
    session_id: str = ""


@dataclass(frozen=True)
class Leaving:
    """On the way to a provider: the address to go to, and the cookie that binds the answer to this browser."""

    address: str
    cookie: str = field(repr=False)


@dataclass(frozen=True)
class Arrived:
    """Back from a provider, signed in; `next` is the path that was wanted."""

    signed_in: SignedIn
    next: str


@dataclass(frozen=True)
class KnownIdentity:
    """Whose an identity is."""

    id: str
    user_id: str
    is_active: bool


@dataclass(frozen=True)
class ProviderLogin:
    """Of a session that began at a provider: which one, and its sealed ID token."""

    issuer: str
    sealed_token: bytes = field(repr=False)


@dataclass(frozen=True)
class IdentityView:
    """A provider at which one can sign in."""

    id: str
    issuer: str
    created_at: datetime


@dataclass(frozen=True)
class Doors:
    """How somebody can sign in."""

    has_password: bool
    identities: tuple[IdentityView, ...]


@dataclass(frozen=True)
class NewSession:
    """The token that takes the place of a session's old one."""

    token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class MeView:
    id: str
    username: str
    is_root: bool
    language: str
    theme: str
    groups: tuple[GroupView, ...]
    has_password: bool = True


@dataclass(frozen=True)
class Preferences:
    """None leaves a field as it is. `language`: "", en or it; `theme`: system, light or dark."""

    language: str | None = None
    theme: str | None = None


@dataclass(frozen=True)
class CreateUser:
    """Without a password nobody can sign in until one was chosen by a link."""

    username: str
    password: str | None = field(default=None, repr=False)
    is_root: bool = False


@dataclass(frozen=True)
class ChangeUser:
    """None leaves a field as it is."""

    is_active: bool | None = None
    is_root: bool | None = None
    is_held: bool | None = None


@dataclass(frozen=True)
class NewReset:
    """A one-time link's token at the only moment that it can be read."""

    user_id: str
    username: str
    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class KnownReset:
    """Whose a link is."""

    user_id: str
    username: str


@dataclass(frozen=True)
class CreateApiKey:
    """`group_ids`: the groups that the key is narrowed to; None: not narrowed."""

    name: str
    scopes: tuple[str, ...]
    expires_in_days: int | None = None
    group_ids: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ApiKeyView:
    """`group_ids` is null for a key that is not narrowed, empty for one whose groups are all gone.

    `expires_at` is null, and `origin` says "authentik", for a key that is made and ended there.
    `last_used_at` and `last_used_from` (an address) are a minute behind at most. `is_replaced`: it has a successor.
    """

    id: str
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_from: str
    group_ids: tuple[str, ...] | None
    is_replaced: bool
    origin: str = ""


@dataclass(frozen=True)
class KeyRecord:
    """What a new key is written with: the hash, never the key. `line_id` names the first of a line of successors."""

    name: str
    scopes: tuple[str, ...]
    prefix: str
    key_hash: str = field(repr=False)
    expires_at: datetime
    group_ids: tuple[str, ...] | None
    line_id: str = ""


@dataclass(frozen=True)
class NewApiKey:
    """A key at the only moment that it can be read."""

    view: ApiKeyView
    key: str = field(repr=False)


@dataclass(frozen=True)
class KnownUser:
    """What signing in needs to know about a person."""

    id: str
    password_hash: str | None = field(repr=False)
    is_active: bool


@dataclass(frozen=True)
class NewUser:
    """A person about to be written: the password is hashed, the data key wrapped."""

    username: str
    password_hash: str | None = field(repr=False)
    wrapped_key: bytes = field(repr=False)
    is_root: bool


@dataclass(frozen=True)
class ErasureReceipt:
    """What an erasure destroyed: rows by table for each part of the product, and ids of data keys. It names nobody.

    `state`: running; erased: rows and keys are gone, bytes and vectors may still lie there as noise; done.
    """

    id: str
    state: str
    is_own: bool
    started_at: datetime
    erased_at: datetime | None
    finished_at: datetime | None
    destroyed: Mapping[str, Mapping[str, int]]
    key_ids: tuple[str, ...]


@dataclass(frozen=True)
class ExportView:
    """A person's export. `state`: queued, running, ready or failed; `progress`: 0 to 1; fetchable until `expires_at`."""

    id: str
    state: str
    progress: float
    size_bytes: int
    files: int
    error_code: str
    error: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class ExportContent:
    """`stream` yields the zip."""

    view: ExportView
    stream: AsyncIterator[bytes] = field(compare=False)


@dataclass(frozen=True)
class Erased:
    """A receipt with the token by which it is read again."""

    receipt: ErasureReceipt
    token: str = field(repr=False)
