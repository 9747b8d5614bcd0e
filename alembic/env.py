"""What Alembic runs: the migrations on the connection that `core.migrations` (or the developer's command) opens."""

import asyncio
import importlib
import pkgutil

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

import youworker_app.models
from youworker_app.core.migrations import developer_connection, render_item

for _module in pkgutil.iter_modules(youworker_app.models.__path__):
    importlib.import_module(f"youworker_app.models.{_module.name}")


def run(connection: Connection) -> None:
    """Runs what was asked inside the caller's transaction."""
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=render_item,
        compare_type=True,
        transactional_ddl=True,
    )
    context.run_migrations()


async def _run_for_developer() -> None:
    async with developer_connection() as connection:
        await connection.run_sync(run)


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(_run_for_developer())
