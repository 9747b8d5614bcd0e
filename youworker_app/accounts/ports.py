"""What accounts do when a person goes, or may no longer do what they did."""

from collections.abc import AsyncIterator
from functools import partial

from youworker_app.accounts.data_ports import export_account
from youworker_app.accounts.erasure_repository import erase_account, forget_person
from youworker_app.accounts.export_repository import exports_of
from youworker_app.accounts.exports import ExportService
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.events import Event, EventBus, user_topic
from youworker_app.core.exports import ExportedFile
from youworker_app.core.ports import Erasure, Step
from youworker_app.gateways.blobs.protocol import BlobStore


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

    def __init__(self, db: Database, exports: BlobStore) -> None:
        self._db, self._exports = db, exports

    async def erase(self, unit: UnitOfWork, user_id: str) -> Erasure:
        """With the data key what they wrote is noise, in old backups too. The receipt stays, and names nobody."""
        export_ids = await exports_of(unit, user_id)
        counts, key_id = await erase_account(unit, user_id)
        await forget_person(unit, user_id)
        steps: tuple[Step, ...] = tuple(partial(self._exports.delete, each) for each in export_ids)
        return Erasure(counts, steps, (key_id,) if key_id else ())

    def export(self, user_id: str) -> AsyncIterator[ExportedFile]:
        """Profile, devices and keys; no secret is in them."""
        return export_account(self._db, user_id)


class OpenPages:
    """Pages that a person has open: told to ask again who is there and what they may see. Fulfils `RunningWork`."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    async def stop(self, user_id: str) -> None:
        """A page whose person may no longer be here goes to the sign-in."""
        for name in ("sessions_changed", "documents_changed", "account_changed"):
            self._bus.publish(user_topic(user_id), Event(name))


class RunningExports:
    """Exports that are being made. Fulfils `RunningWork`."""

    def __init__(self, exports: ExportService) -> None:
        self._exports = exports

    async def stop(self, user_id: str) -> None:
        """What is being made for the person is made anew, in the name of who they are now; for who may not be here it fails."""
        await self._exports.restart(user_id)
