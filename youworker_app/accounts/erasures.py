"""Erasing a person: remembered before it begins, carried out to its end whatever happens to who asked, told by a receipt.

They are suspended in the unit that remembers it, so that an erasure which breaks off leaves nobody at work; the next start
goes on. Who may ask is decided by the callers.
"""

import asyncio
from functools import partial
from typing import Final

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.permissions import Permission, require
from youworker_app.accounts.erasure_repository import ErasureRecords
from youworker_app.accounts.schemas import Erased, ErasureReceipt
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.endings import Endings
from youworker_app.core.errors import AppError, NotFound
from youworker_app.core.ids import new_token
from youworker_app.core.names import is_plain_text
from youworker_app.core.paging import Page, PageRequest, cursor_for
from youworker_app.core.ports import Destroyed, Identified, Ports
from youworker_app.core.telemetry import client_address, get_logger
from youworker_app.groups.service import GroupService

log = get_logger(__name__)

_NOWHERE: Final = ""


class Erasures:
    """What goes: conversations, private documents, sessions, keys and the person's data key in one transaction, bytes and
    vectors after it. What they shared with a group is the group's work and goes to its longest-standing other admin who can
    sign in; where there is none, the longest-standing other member becomes one. A group that was theirs alone is removed:
    what former members left in it goes back to them. The audit trail keeps the id of who was removed, and nothing else.
    """

    def __init__(self, db: Database, groups: GroupService, ports: Ports, endings: Endings) -> None:
        self._db, self._groups, self._ports, self._endings = db, groups, ports, endings
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def begin(self, unit: UnitOfWork, user_id: str, *, is_own: bool) -> tuple[str, str]:
        """Suspends the person and remembers the erasure: (its id, the token of its receipt). Raises AccountHeld, NotFound."""
        token = new_token()
        erasure_id = await ErasureRecords(unit).begin(user_id, token, is_own=is_own)
        unit.after_commit(partial(self._endings.end, user_id))
        self._ports.stop_after(unit, user_id)
        return erasure_id, token

    async def carry_out(self, begun: tuple[str, str], by: Identified | None) -> Erased:
        """Erases, and goes on with it when the caller gives up waiting. `by` None: the person themselves."""
        erasure_id, token = begun
        await self._ports.settle()
        task = self._under_way.get(erasure_id)
        if task is None:
            task = asyncio.create_task(self._erase(erasure_id, by))
            self._under_way[erasure_id] = task
            task.add_done_callback(lambda _: self._under_way.pop(erasure_id, None))
        await asyncio.shield(task)
        async with self._db.read() as unit:
            return Erased(await ErasureRecords(unit).receipt(erasure_id), token)

    async def resume(self) -> None:
        """Goes on with what a stopped process left. What was swept at this start is done."""
        async with self._db.read() as unit:
            unfinished = await ErasureRecords(unit).unfinished()
        for erasure_id, state in unfinished:
            try:
                if state == "running":
                    await self.carry_out((erasure_id, ""), None)
                else:
                    await self._finish(erasure_id)
            except AppError as error:
                log.warning("erasure_waits", erasure_id=erasure_id, code=error.code)

    async def settle(self) -> None:
        """Waits until none is under way."""
        while self._under_way:
            await asyncio.wait(set(self._under_way.values()))

    async def receipt(self, token: str) -> ErasureReceipt:
        """The receipt that a token opens. Raises NotFound."""
        if not is_plain_text(token):
            raise NotFound
        async with self._db.read() as unit:
            return await ErasureRecords(unit).receipt_for(token)

    async def list_receipts(self, actor: Actor, page: PageRequest) -> Page[ErasureReceipt]:
        """All receipts, the newest first. Root only. Raises Malformed on a foreign cursor."""
        require_scope(actor, Scope.ADMIN)
        require(actor, Permission.ADMINISTER)
        async with self._db.read() as unit:
            found = await ErasureRecords(unit).list_receipts(page.position(), page.limit)
        items = tuple(found[: page.limit])
        more = len(found) > page.limit
        return Page(items, cursor_for(items[-1].started_at, items[-1].id) if more else None)

    async def _erase(self, erasure_id: str, by: Identified | None) -> None:
        # Where the person asked from would lead back to them: it stands in no event that stays.
        token = client_address.set(client_address.get() if by else _NOWHERE)
        try:
            destroyed = await self._destroy(erasure_id, by)
        finally:
            client_address.reset(token)
        await self._ports.settle()
        if destroyed is not None and not destroyed.left:
            await self._finish(erasure_id)

    async def _destroy(self, erasure_id: str, by: Identified | None) -> Destroyed | None:
        async with self._db.read() as unit:
            user_id = await ErasureRecords(unit).person_of(erasure_id)
        if user_id is None:
            return None
        await self._groups.close_deserted(by, user_id)
        async with self._db.write() as unit:
            records = ErasureRecords(unit)
            if await records.person_of(erasure_id, holds=True) is None:
                return None
            destroyed = await self._ports.erase_person(unit, by, user_id)
            await records.close(erasure_id, destroyed)
            self._ports.stop_after(unit, user_id)
        return destroyed

    async def _finish(self, erasure_id: str) -> None:
        async with self._db.write() as unit:
            await ErasureRecords(unit).finish(erasure_id)
