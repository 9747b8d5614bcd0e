"""Health of the installation: alive for anyone, in detail for root."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.permissions import Permission, require
from youworker_app.core.db import Database
from youworker_app.core.errors import AppError
from youworker_app.operations.repository import answers

Probe = Callable[[], Awaitable[bool | str]]
"""Whether something answers, or in a word how it is: "ok", or what is not as it should be."""

_LONGEST_PROBE_S: Final = 5.0


class HealthService:
    """`probes` name what the installation leans on; each tells whether it answers. `hints` tell what would serve it better."""

    def __init__(
        self,
        db: Database,
        probes: Mapping[str, Probe] | None = None,
        hints: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._db, self._hints = db, hints
        self._probes: dict[str, Probe] = {"database": lambda: answers(db), **(probes or {})}

    async def live(self) -> dict[str, str]:
        """That the process answers; says nothing about what it leans on."""
        return {"status": "ok"}

    async def detailed(self, actor: Actor) -> dict[str, Any]:
        """`{status: ok|degraded, checks: {name: {state: ok|away|<its own word>, ms}}, database_pool: {…}, hints: […]}`.

        `database_pool` is a `PoolState`, taken while nothing is asked; `hints` are sentences about what would serve better.
        Root, by key with the scope admin.
        """
        require_scope(actor, Scope.ADMIN)
        require(actor, Permission.ADMINISTER)
        pool = asdict(self._db.pool_state())
        found = await asyncio.gather(*map(_checked, self._probes.values()))
        checks = dict(zip(self._probes, found, strict=True))
        is_well = all(check["state"] == "ok" for check in found)
        return {
            "status": "ok" if is_well else "degraded",
            "checks": checks,
            "database_pool": pool,
            "hints": list(self._hints()),
        }


async def _checked(probe: Probe) -> dict[str, Any]:
    started = time.monotonic()
    try:
        async with asyncio.timeout(_LONGEST_PROBE_S):
            found = await probe()
    except (AppError, OSError, TimeoutError):
        found = False
    state = found if isinstance(found, str) else "ok" if found else "away"
    return {"state": state, "ms": round((time.monotonic() - started) * 1_000)}
