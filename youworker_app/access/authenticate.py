"""From a credential to an Actor: one policy for every carrier. Nothing else makes an Actor for a person.

Checked each time: the person exists and is active, the session or key exists and has not run out.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlmodel import col

from youworker_app.access.actor import Actor, Scope
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.core.clock import now
from youworker_app.core.db import UnitOfWork
from youworker_app.core.errors import Unauthenticated
from youworker_app.core.ids import token_hash
from youworker_app.models.accounts import ApiKey, LoginSession, User
from youworker_app.models.groups import Membership

_TOUCH_AFTER = timedelta(minutes=1)


async def actor_for_session(unit: UnitOfWork, token: str, *, idle: timedelta) -> Actor:
    """The person behind a cookie's token. Raises Unauthenticated when it is unknown, ended or idle for longer than `idle`."""
    statement = select(LoginSession).where(col(LoginSession.token_hash) == token_hash(token))
    row = (
        await unit.session.execute(system_scope(statement, SystemReason.AUTHENTICATE))
    ).scalar_one_or_none()
    moment = now()
    if row is None or row.expires_at <= moment or row.last_seen_at + idle <= moment:
        raise Unauthenticated
    return await _actor(unit, row.user_id, scopes=None, credential_id=row.id)


async def actor_for_key(unit: UnitOfWork, key: str) -> Actor:
    """The person behind an API key, narrowed to its scopes. Raises Unauthenticated."""
    statement = select(ApiKey).where(col(ApiKey.key_hash) == token_hash(key))
    row = (
        await unit.session.execute(system_scope(statement, SystemReason.AUTHENTICATE))
    ).scalar_one_or_none()
    if row is None or row.expires_at <= now():
        raise Unauthenticated
    return await _actor(unit, row.owner_id, scopes=_scopes(row.scopes), credential_id=row.id)


async def actor_for_user(unit: UnitOfWork, user_id: str) -> Actor:
    """The person by id, as they stand now: for jobs and runs that outlive their request. Raises Unauthenticated."""
    return await _actor(unit, user_id, scopes=None, credential_id="")


async def actor_in_absence(unit: UnitOfWork, user_id: str) -> Actor:
    """The person by id, suspended or not: to hand back what is theirs, never to answer a request. Raises Unauthenticated."""
    return await _actor(unit, user_id, scopes=None, credential_id="", is_present=False)


async def needs_touch(unit: UnitOfWork, actor: Actor) -> bool:
    """Whether the credential's last use is old enough to be written again (at most once a minute)."""
    used = await _last_used(unit, actor.credential_id)
    return used is not None and used + _TOUCH_AFTER <= now()


async def touch(unit: UnitOfWork, actor: Actor) -> None:
    """Writes when the credential was last used."""
    for model, column in ((LoginSession, "last_seen_at"), (ApiKey, "last_used_at")):
        statement = select(model).where(col(model.id) == actor.credential_id)
        row = (
            await unit.session.execute(system_scope(statement, SystemReason.AUTHENTICATE))
        ).scalar_one_or_none()
        if row is not None:
            setattr(row, column, now())


async def _last_used(unit: UnitOfWork, credential_id: str) -> datetime | None:
    for model, column in ((LoginSession, LoginSession.last_seen_at), (ApiKey, ApiKey.last_used_at)):
        statement = select(col(column)).where(col(model.id) == credential_id)
        row = (await unit.session.execute(system_scope(statement, SystemReason.AUTHENTICATE))).one_or_none()
        if row is not None:
            return row[0] or datetime.min.replace(tzinfo=now().tzinfo)
    return None


async def _actor(
    unit: UnitOfWork,
    user_id: str,
    *,
    scopes: frozenset[Scope] | None,
    credential_id: str,
    is_present: bool = True,
) -> Actor:
    statement = (
        select(User, col(Membership.group_id), col(Membership.role))
        .outerjoin(Membership, col(Membership.user_id) == col(User.id))
        .where(col(User.id) == user_id)
    )
    if is_present:
        statement = statement.where(col(User.is_active).is_(True))
    rows = (await unit.session.execute(system_scope(statement, SystemReason.AUTHENTICATE))).all()
    if not rows:
        raise Unauthenticated
    user: User = rows[0][0]
    return Actor(
        user_id=user.id,
        username=user.username,
        is_root=user.is_root and (scopes is None or Scope.ADMIN in scopes),
        group_ids=frozenset(group for _, group, _ in rows if group),
        admin_group_ids=frozenset(group for _, group, role in rows if group and role == "admin"),
        scopes=scopes,
        credential_id=credential_id,
        language=user.language,
    )


def _scopes(names: Iterable[str]) -> frozenset[Scope]:
    known = {scope.value: scope for scope in Scope}
    return frozenset(known[name] for name in names if name in known)
