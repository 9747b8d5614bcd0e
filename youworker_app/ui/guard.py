"""The guard before every event: a state answers only to the session that it was filled for.

A page's token is a bearer credential of its own; whoever presents one without the cookie of the same session gets an
empty state. It must not decide what a person may see: services do.
"""

import hashlib
from typing import Any, Final

import reflex as rx
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState as ReflexState
from reflex.state import StateUpdate
from reflex_base.event import Event
from reflex_base.event.context import EventContext

from youworker_app.access.credentials import Authentication, Carrier, Credential
from youworker_app.core.asking import begin_at
from youworker_app.core.errors import AppError, Unauthenticated
from youworker_app.core.rates import due
from youworker_app.core.registry import service
from youworker_app.core.telemetry import client_address, correlation_id, get_logger
from youworker_app.ui.base_state import BaseState, session_secret
from youworker_app.ui.costs import cost_of, name_of

log = get_logger(__name__)

# What sends a page its whole state; everything else asks who is there by itself.
_SEND_ALL: Final = frozenset({"reflex.state.State.hydrate", "reflex.state.State.hydrate_and_load"})


class Guard(Middleware):
    """Runs before every event, under the state's lock."""

    async def preprocess(self, app: rx.App, state: ReflexState, event: Event) -> StateUpdate | None:
        """Resets the state when its session is not the one that asks. Answers None: the event goes on."""
        correlation_id.set(EventContext.get().txid)
        root: Any = state._get_root_state()
        client_address.set(root.router.session.client_ip)
        due.set(cost_of(event.name))
        begin_at(name_of(event.name))
        base = await root.get_state(BaseState)
        secret = session_secret(root.router.headers.cookie)
        asking = digest(secret)
        if base._bound != asking or await _has_ended(secret, event):
            if base._bound:
                log.info("state_reset")
                root.reset()
            base._bound = asking
        return None


async def _has_ended(secret: str, event: Event) -> bool:
    """Whether a page that was loaded anew or has come back would be sent what it knew before its session was ended."""
    if not secret or name_of(event.name) not in _SEND_ALL:
        return False
    try:
        await service(Authentication).authenticate(Credential(Carrier.COOKIE, secret))
    except Unauthenticated:
        return True
    except AppError:
        return False  # whoever reads next is told what is away
    return False


def digest(secret: str) -> str:
    """What is kept to compare sessions by; nothing to compare is a value too."""
    return hashlib.sha256(secret.encode()).hexdigest() if secret else "nobody"
