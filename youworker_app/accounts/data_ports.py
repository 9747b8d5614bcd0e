"""What accounts give to a person's export."""

from collections.abc import AsyncIterator
from dataclasses import asdict

from youworker_app.access.authenticate import actor_for_user
from youworker_app.accounts.key_repository import ApiKeyRepository
from youworker_app.accounts.repository import AccountRepository
from youworker_app.core.db import Database
from youworker_app.core.exports import ExportedFile, json_file


async def export_account(db: Database, user_id: str) -> AsyncIterator[ExportedFile]:
    """Who they are, where they are signed in, and their keys without what would open anything."""
    async with db.read() as unit:
        actor = await actor_for_user(unit, user_id)
        repository = AccountRepository(unit, actor)
        profile = await repository.own()
        devices = await repository.list_all_sessions()
        keys = await ApiKeyRepository(unit, actor).list_keys()
        identities = await repository.list_identities()
    yield json_file("profile.json", asdict(profile))
    yield json_file("identities.json", list(identities))
    yield json_file("devices.json", [asdict(each) for each in devices])
    yield json_file("api-keys.json", [asdict(each) for each in keys])
