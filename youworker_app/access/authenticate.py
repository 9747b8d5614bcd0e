"""From a credential to an Actor: one policy for every carrier. Nothing else makes an Actor for a person.

Checked each time: the person exists and is active, the session or key exists and has not run out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from sqlalchemy import Select, and_, bindparam, select
from sqlmodel import SQLModel, col

from youworker_app.access.actor import Actor, Scope
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.core.asking import presented
from youworker_app.core.clock import now
from youworker_app.core.db import UnitOfWork
from youworker_app.core.errors import Unauthenticated
from youworker_app.core.ids import token_hash
from youworker_app.core.telemetry import client_address
from youworker_app.models.accounts import ApiKey, ApiKeyGroup, LoginSession, User
from youworker_app.models.groups import Membership

_TOUCH_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class Entered:
    """Who came in. `is_stale`: the credential's last use is old enough to be written again (at most once a minute)."""

    actor: Actor
    is_stale: bool


# What an Actor is made of: one row a membership, or a single one with nulls.
_PERSON = (
    col(User.id),
    col(User.username),
    col(User.is_root),
    col(User.language),
    col(Membership.group_id),
    col(Membership.role),
)


def _entrance(model: type[SQLModel], owner: Any, *columns: Any) -> Select[Any]:
    """From a credential to the active person with their groups."""
    return (
        select(*columns, *_PERSON)
        .select_from(model)
        .join(User, col(User.id) == owner)
        .outerjoin(Membership, col(Membership.user_id) == col(User.id))
        .where(col(User.is_active).is_(True))
    )


# From a secret's hash (`:secret`), in one statement: every request asks one of the two.
_BY_SESSION = system_scope(
    _entrance(
        LoginSession,
        col(LoginSession.user_id),
        col(LoginSession.id),
        col(LoginSession.expires_at),
        col(LoginSession.last_seen_at),
    ).where(col(LoginSession.token_hash) == bindparam("secret")),
    SystemReason.AUTHENTICATE,
)
_OF_THE_KEY = and_(
    col(ApiKeyGroup.key_id) == col(ApiKey.id), col(ApiKeyGroup.group_id) == col(Membership.group_id)
)
_BY_KEY = system_scope(
    _entrance(
        ApiKey,
        col(ApiKey.owner_id),
        col(ApiKey.id),
        col(ApiKey.expires_at),
        col(ApiKey.last_used_at),
        col(ApiKey.scopes),
        col(ApiKey.is_narrowed),
        col(ApiKey.line_id),
        col(ApiKeyGroup.group_id),
    )
    .outerjoin(ApiKeyGroup, _OF_THE_KEY)
    .where(col(ApiKey.key_hash) == bindparam("secret")),
    SystemReason.AUTHENTICATE,
)


# By id. Built once: each upload, job and run asks it.
_ANYBODY = system_scope(
    select(*_PERSON)
    .select_from(User)
    .outerjoin(Membership, col(Membership.user_id) == col(User.id))
    .where(col(User.id) == bindparam("user_id")),
    SystemReason.AUTHENTICATE,
)
_PRESENT = _ANYBODY.where(col(User.is_active).is_(True))


async def enter_by_session(unit: UnitOfWork, token: str, *, idle: timedelta) -> Entered:
    """The person behind a cookie's token. Raises Unauthenticated when it is unknown, ended or idle for longer than `idle`."""
    presented("cookie")
    begun = monotonic()
    rows = (await unit.session.execute(_BY_SESSION, {"secret": token_hash(token)})).all()
    moment = now()
    if rows:
        presented("cookie", rows[0][3], rows[0][0])
    if not rows or rows[0][1] <= moment or rows[0][2] + idle <= moment:
        raise Unauthenticated
    session_id, _, seen_at = rows[0][:3]
    actor = _as_actor([row[3:] for row in rows])
    return Entered(replace(actor, credential_id=session_id, entered_at=begun), _is_stale(seen_at, moment))


async def enter_by_key(unit: UnitOfWork, key: str) -> Entered:
    """The person behind an API key, narrowed to its scopes and its groups. Raises Unauthenticated."""
    presented("key")
    begun = monotonic()
    rows = (await unit.session.execute(_BY_KEY, {"secret": token_hash(key)})).all()
    moment = now()
    if rows:
        presented("key", rows[0][7], rows[0][0])
    if not rows or rows[0][1] <= moment:
        raise Unauthenticated
    key_id, expires_at, used_at, scopes, is_narrowed, line_id = rows[0][:6]
    actor = _as_actor([row[7:] for row in rows])
    actor = replace(
        _scoped(actor, _scopes(scopes)), credential_id=key_id, key_expires_at=expires_at, entered_at=begun
    )
    if is_narrowed:
        actor = _narrowed(actor, frozenset(row[6] for row in rows if row[6]), line_id)
    return Entered(actor, used_at is None or _is_stale(used_at, moment))


def _scoped(actor: Actor, scopes: frozenset[Scope]) -> Actor:
    return replace(actor, scopes=scopes, is_root=actor.is_root and Scope.ADMIN in scopes)


def _narrowed(actor: Actor, group_ids: frozenset[str], key_line: str) -> Actor:
    """The one place that decides what a key narrowed to groups is: everything that follows from membership goes by these."""
    return replace(
        actor,
        group_ids=actor.group_ids & group_ids,
        admin_group_ids=actor.admin_group_ids & group_ids,
        key_line=key_line,
    )


async def actor_again(unit: UnitOfWork, actor: Actor) -> Actor:
    """The same person by the same credential, as they stand now: for what takes long. Raises Unauthenticated."""
    fresh = await actor_for_user(unit, actor.user_id)
    if actor.scopes is not None:
        fresh = _scoped(fresh, actor.scopes)
    fresh = replace(fresh, credential_id=actor.credential_id)
    return _narrowed(fresh, actor.group_ids, actor.key_line) if actor.key_line else fresh


async def actor_for_user(unit: UnitOfWork, user_id: str) -> Actor:
    """The person by id, as they stand now: for jobs and runs that outlive their request. Raises Unauthenticated."""
    return await _actor(unit, user_id)


async def actor_in_absence(unit: UnitOfWork, user_id: str) -> Actor:
    """The person by id, suspended or not: to hand back what is theirs, never to answer a request. Raises Unauthenticated."""
    return await _actor(unit, user_id, is_present=False)


def _is_stale(used_at: datetime, moment: datetime) -> bool:
    """A use in the future counts too: the clock was set back, and until it came there nobody would be idle."""
    return not timedelta() <= moment - used_at < _TOUCH_AFTER


async def touch(unit: UnitOfWork, actor: Actor) -> None:
    """Writes when the credential was last used, a key's with where from. A session that began in the future is taken to
    have begun now."""
    moment = now()
    for model, column in ((LoginSession, "last_seen_at"), (ApiKey, "last_used_at")):
        statement = select(model).where(col(model.id) == actor.credential_id)
        row = (
            await unit.session.execute(system_scope(statement, SystemReason.AUTHENTICATE))
        ).scalar_one_or_none()
        if row is None:
            continue
        setattr(row, column, moment)
        if isinstance(row, ApiKey):
            row.last_used_address = client_address.get()[:64]
        if isinstance(row, LoginSession) and row.created_at > moment:
            # The clock was set back: its life is as long as it was to be, and no longer.
            row.expires_at -= row.created_at - moment
            row.created_at = moment


async def _actor(unit: UnitOfWork, user_id: str, *, is_present: bool = True) -> Actor:
    statement = _PRESENT if is_present else _ANYBODY
    rows = (await unit.session.execute(statement, {"user_id": user_id})).all()
    if not rows:
        raise Unauthenticated
    return _as_actor(rows)


def _as_actor(rows: Sequence[Any]) -> Actor:
    user_id, username, is_root, language = rows[0][:4]
    memberships = [(row[4], row[5]) for row in rows if row[4]]
    return Actor(
        user_id=user_id,
        username=username,
        is_root=is_root,
        group_ids=frozenset(group for group, _ in memberships),
        admin_group_ids=frozenset(group for group, role in memberships if role == "admin"),
        language=language,
    )


def _scopes(names: Iterable[str]) -> frozenset[Scope]:
    known = {scope.value: scope for scope in Scope}
    return frozenset(known[name] for name in names if name in known)
