"""The base of every repository: it cannot be made without an actor, and reads through `visible()`."""

from typing import TypeVar

from sqlmodel import SQLModel

from youworker_app.access.actor import Actor
from youworker_app.access.rights import Right
from youworker_app.access.visible import visible
from youworker_app.core.db import UnitOfWork
from youworker_app.core.errors import NotFound
from youworker_app.core.names import is_plain_text

M = TypeVar("M", bound=SQLModel)


class Repository:
    """All SQL of one domain, for one actor in one unit of work."""

    def __init__(self, unit: UnitOfWork, actor: Actor) -> None:
        self._unit = unit
        self._session = unit.session
        self._actor = actor

    async def _get(self, model: type[M], row_id: str, *, right: Right = Right.VIEW) -> M:
        """One visible row. Raises NotFound when it is missing or not visible: the two look the same."""
        row = await self._find(model, row_id, right=right)
        if row is None:
            raise NotFound
        return row

    async def _find(self, model: type[M], row_id: str, *, right: Right = Right.VIEW) -> M | None:
        """One visible row, or None; an id that no database could hold names nothing."""
        if not is_plain_text(row_id):
            return None
        statement = visible(model, self._actor, right=right).where(model.id == row_id)  # type: ignore[attr-defined]
        return (await self._session.execute(statement)).scalar_one_or_none()

    def add(self, row: SQLModel) -> None:
        """Adds a new row; the caller has asked `require()`."""
        self._session.add(row)

    async def flush(self) -> None:
        """Sends pending writes, so that what follows in this unit sees them."""
        await self._session.flush()
