"""What the audit trail does when a person goes: it keeps their id."""

from youworker_app.core.db import UnitOfWork
from youworker_app.core.ports import Erasure


class KeptTrail:
    """The trail as a port. It holds ids and counts, never a name or a word that anybody wrote, so nothing has to go.

    Who did what has to be answerable after somebody left; without the person's row their id leads to nobody. Fulfils
    `PersonalData`.
    """

    tables = frozenset({"audit_events"})

    async def erase(self, unit: UnitOfWork, user_id: str) -> Erasure:
        """Leaves every row as it is: each is under its MAC, and a changed one would look forged."""
        return Erasure()
