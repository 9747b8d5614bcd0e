"""What accounts do when a person goes, or may no longer do what they did."""

from youworker_app.accounts.erasure_repository import erase_account, forget_person
from youworker_app.core.db import UnitOfWork
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.ports import Erasure


class AccountData:
    """The person's row, sign-ins, keys and data key. Asked last: rows of other domains point here. Fulfils `PersonalData`."""

    name = "account"
    tables = frozenset(
        {
            "users",
            "identities",
            "provider_sessions",
            "login_sessions",
            "api_keys",
            "api_key_groups",
            "encryption_keys",
            "data_exports",
            "erasures",
        }
    )

    async def erase(self, unit: UnitOfWork, user_id: str) -> Erasure:
        """With the data key what they wrote is noise, in old backups too. The receipt stays, and names nobody."""
        counts, key_id = await erase_account(unit, user_id)
        await forget_person(unit, user_id)
        return Erasure(counts, key_ids=(key_id,) if key_id else ())


class OpenPages:
    """Pages that a person has open: told to ask again who is there and what they may see. Fulfils `RunningWork`."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    async def stop(self, user_id: str) -> None:
        """A page whose person may no longer be here goes to the sign-in."""
        for name in ("sessions_changed", "documents_changed", "account_changed"):
            self._bus.publish(user_topic(user_id), Event(name))
