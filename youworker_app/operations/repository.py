"""The one statement of health: whether the database answers."""

from sqlalchemy import text

from youworker_app.core.db import Database
from youworker_app.core.errors import DependencyAway
from youworker_app.core.telemetry import get_logger

log = get_logger(__name__)


async def answers(database: Database) -> bool:
    """Whether the database answers now."""
    try:
        async with database.read() as unit:
            await unit.session.execute(text("SELECT 1"))
    except DependencyAway as error:
        log.warning("database_away", code=error.code)
        return False
    return True
