"""Signed-in devices: one's own login sessions as a person recognises them, and how to end them from elsewhere."""

from datetime import timedelta
from functools import partial

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.accounts.repository import AccountRepository
from youworker_app.accounts.schemas import DeviceView
from youworker_app.audit.service import AuditService
from youworker_app.core.db import Database
from youworker_app.core.endings import Endings
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.settings import SecuritySettings


class DeviceService:
    """A person's own devices. A key without the admin scope neither sees nor ends them."""

    def __init__(
        self,
        db: Database,
        settings: SecuritySettings,
        audit: AuditService,
        bus: EventBus,
        endings: Endings,
    ) -> None:
        self._db, self._settings, self._audit = db, settings, audit
        self._bus, self._endings = bus, endings

    async def list_devices(self, actor: Actor) -> tuple[DeviceView, ...]:
        """Where the actor is signed in now, the one that asks first, then those seen last."""
        require_scope(actor, Scope.ADMIN)
        idle = timedelta(hours=self._settings.session_idle_hours)
        async with self._db.read() as unit:
            found = await AccountRepository(unit, actor).list_sessions(idle)
        return tuple(sorted(found, key=lambda device: not device.is_current))

    async def sign_out_device(self, actor: Actor, session_id: str) -> None:
        """Ends one of the actor's own sessions at once, with what is open there. Raises NotFound."""
        require_scope(actor, Scope.ADMIN)
        async with self._db.write() as unit:
            await AccountRepository(unit, actor).end_session(session_id)
            await self._audit.record(
                unit, actor, "session.ended", resource_type="session", resource_id=session_id
            )
            unit.after_commit(partial(self._endings.end, session_id))
        self._tell(actor)

    async def sign_out_others(self, actor: Actor) -> int:
        """Ends all of the actor's sessions but the one that asks; how many there were. With a key, all."""
        require_scope(actor, Scope.ADMIN)
        async with self._db.write() as unit:
            ended = await AccountRepository(unit, actor).end_other_sessions()
            await self._audit.record(
                unit,
                actor,
                "sessions.ended",
                resource_type="user",
                resource_id=actor.user_id,
                details={"sessions": len(ended)},
            )
            unit.after_commit(partial(self._endings.end, *ended))
        self._tell(actor)
        return len(ended)

    def _tell(self, actor: Actor) -> None:
        """Pages that are open ask again who is there: those without a session any more go to the sign-in."""
        self._bus.publish(user_topic(actor.user_id), Event("sessions_changed"))
