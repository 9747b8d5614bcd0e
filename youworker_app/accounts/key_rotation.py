"""Another master key, while the service runs: every data key is wrapped anew, then the old one is let go of.

Killed at any moment, both keys are still there and the next run goes on. No data key changes, so nothing that they seal is
read or written; what hangs on the first master key of all goes on hanging on it (core/secrets.py).
"""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from youworker_app.accounts.key_check import remember_master_key
from youworker_app.accounts.rotation_repository import count_keys, rewrap_some
from youworker_app.audit.service import AuditService
from youworker_app.core.db import Database
from youworker_app.core.errors import Conflict
from youworker_app.core.keys import DataKeys
from youworker_app.core.secrets import KeyPlace
from youworker_app.gateways.blobs.threads import in_thread

_AT_ONCE: Final = 200
_GRACE_S: Final = 1.0


class RotationUnderWay(Conflict):
    code, template = "ROTATION_UNDER_WAY", "The master key is being rotated already. Wait until that is done."


@dataclass(frozen=True)
class RotationProgress:
    """`changed`: data keys that this run wrapped anew. `is_outside`: the old key still has to leave the environment."""

    done: int
    total: int
    changed: int
    is_done: bool = False
    is_outside: bool = False


class KeyRotation:
    """One at a time."""

    def __init__(
        self,
        db: Database,
        keys: DataKeys,
        place: KeyPlace,
        audit: AuditService,
        *,
        at_once: int = _AT_ONCE,
        grace_s: float = _GRACE_S,
    ) -> None:
        self._db, self._keys, self._place, self._audit = db, keys, place, audit
        self._at_once, self._grace_s = at_once, grace_s
        self._lock = asyncio.Lock()

    async def rotate(self) -> AsyncGenerator[RotationProgress, None]:
        """Tells each step. Raises RotationUnderWay, MasterKeyOutside, DecryptionFailed for a key that nothing opens."""
        if self._lock.locked():
            raise RotationUnderWay
        async with self._lock:
            await in_thread(self._place.begin, self._keys.master)
            changed, is_first = 0, True
            while True:
                before = changed
                async for step in self._pass(changed):
                    changed = step.changed
                    yield step
                # What was wrapped under the old key a moment ago and stored since is found by one more look.
                if changed == before and not is_first:
                    break
                is_first = False
                await asyncio.sleep(self._grace_s)
            async with self._db.write() as unit:
                await remember_master_key(unit, self._keys)
                total = await count_keys(unit)
                told = {"keys": changed}
                await self._audit.record(
                    unit, None, "keys.rotated", resource_type="installation", details=told
                )
            await in_thread(self._place.finish)
            yield RotationProgress(total, total, changed, True, self._place.is_outside)

    async def _pass(self, changed: int) -> AsyncGenerator[RotationProgress, None]:
        """Every data key once, in the order of their ids."""
        last, done = "", 0
        async with self._db.read() as unit:
            total = await count_keys(unit)
        while True:
            async with self._db.write() as unit:
                last, seen, anew = await rewrap_some(unit, last, self._at_once, self._keys.rewrapped)
            done, changed = done + seen, changed + anew
            yield RotationProgress(done, max(total, done), changed)
            if seen < self._at_once:
                return
