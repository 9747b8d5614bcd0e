"""From a credential to an Actor: one policy for every carrier. Nothing else makes an Actor for a person.

Checked each time: the person exists and is active, the session or key exists and has not run out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlmodel import SQLModel, col

from youworker_app.access.actor import Actor, Scope
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.core.asking import presented
from youworker_app.core.clock import now
from youworker_app.core.db import UnitOfWork
from youworker_app.core.errors import Unauthenticated
from youworker_app.core.ids import token_hash
from youworker_app.models.accounts import ApiKey, LoginSession, User
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


def _entrance(model: type[SQLModel], owner: Any, secret: Any, *columns: Any) -> Select[Any]:
    """One statement from a secret's hash (`:secret`) to the active person with their groups: every request asks it."""
    statement = (
        select(*columns, *_PERSON)
        .select_from(model)
        .join(User, col(User.id) == owner)
        .outerjoin(Membership, col(Membership.user_id) == col(User.id))
        .where(secret == bindparam("secret"), col(User.is_active).is_(True))
    )
    return system_scope(statement, SystemReason.AUTHENTICATE)


_BY_SESSION = _entrance(
    LoginSession,
    col(LoginSession.user_id),
    col(LoginSession.token_hash),
    col(LoginSession.id),
    col(LoginSession.expires_at),
    col(LoginSession.last_seen_at),
)
_BY_KEY = _entrance(
    ApiKey,
    col(ApiKey.owner_id),
    col(ApiKey.key_hash),
    col(ApiKey.id),
    col(ApiKey.expires_at),
    col(ApiKey.last_used_at),
    col(ApiKey.scopes),
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
    rows = (await unit.session.execute(_BY_SESSION, {"secret": token_hash(token)})).all()
    moment = now()
    if rows:
        presented("cookie", rows[0][3], rows[0][0])
    if not rows or rows[0][1] <= moment or rows[0][2] + idle <= moment:
        raise Unauthenticated
    session_id, _, seen_at = rows[0][:3]
    actor = _as_actor([row[3:] for row in rows], scopes=None, credential_id=session_id)
    return Entered(actor, _is_stale(seen_at, moment))


async def enter_by_key(unit: UnitOfWork, key: str) -> Entered:
    """The person behind an API key, narrowed to its scopes. Raises Unauthenticated."""
    presented("key")
    rows = (await unit.session.execute(_BY_KEY, {"secret": token_hash(key)})).all()
    moment = now()
    if rows:
        presented("key", rows[0][4], rows[0][0])
    if not rows or rows[0][1] <= moment:
        raise Unauthenticated
    key_id, _, used_at, scopes = rows[0][:4]
    actor = _as_actor([row[4:] for row in rows], scopes=_scopes(scopes), credential_id=key_id)
    return Entered(actor, used_at is None or _is_stale(used_at, moment))


async def actor_for_user(unit: UnitOfWork, user_id: str) -> Actor:
    """The person by id, as they stand now: for jobs and runs that outlive their request. Raises Unauthenticated."""
    return await _actor(unit, user_id, scopes=None, credential_id="")


async def actor_in_absence(unit: UnitOfWork, user_id: str) -> Actor:
    """The person by id, suspended or not: to hand back what is theirs, never to answer a request. Raises Unauthenticated."""
    return await _actor(unit, user_id, scopes=None, credential_id="", is_present=False)


def _is_stale(used_at: datetime, moment: datetime) -> bool:
    """A use in the future counts too: the clock was set back, and until it came there nobody would be idle."""
    return not timedelta() <= moment - used_at < _TOUCH_AFTER


async def touch(unit: UnitOfWork, actor: Actor) -> None:
    """Writes when the credential was last used. A session that began in the future is taken to have begun now."""
    moment = now()
    for model, column in ((LoginSession, "last_seen_at"), (ApiKey, "last_used_at")):
        statement = select(model).where(col(model.id) == actor.credential_id)
        row = (
            await unit.session.execute(system_scope(statement, SystemReason.AUTHENTICATE))
        ).scalar_one_or_none()
        if row is None:
            continue
        setattr(row, column, moment)
        if isinstance(row, LoginSession) and row.created_at > moment:
            # The clock was set back: its life is as long as it was to be, and no longer.
            row.expires_at -= row.created_at - moment
            row.created_at = moment


async def _actor(
    unit: UnitOfWork,
    user_id: str,
    *,
    scopes: frozenset[Scope] | None,
    credential_id: str,
    is_present: bool = True,
) -> Actor:
    statement = _PRESENT if is_present else _ANYBODY
    rows = (await unit.session.execute(statement, {"user_id": user_id})).all()
    if not rows:
        raise Unauthenticated
    return _as_actor(rows, scopes=scopes, credential_id=credential_id)


def _as_actor(rows: Sequence[Any], *, scopes: frozenset[Scope] | None, credential_id: str) -> Actor:
    user_id, username, is_root, language = rows[0][:4]
    memberships = [(row[4], row[5]) for row in rows if row[4]]
    return Actor(
        user_id=user_id,
        username=username,
        is_root=is_root and (scopes is None or Scope.ADMIN in scopes),
        group_ids=frozenset(group for group, _ in memberships),
        admin_group_ids=frozenset(group for group, role in memberships if role == "admin"),
        scopes=scopes,
        credential_id=credential_id,
        language=language,
    )


def _scopes(names: Iterable[str]) -> frozenset[Scope]:
    known = {scope.value: scope for scope in Scope}
    return frozenset(known[name] for name in names if name in known)
