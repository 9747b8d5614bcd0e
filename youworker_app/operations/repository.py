"""The one statement of health: whether the database answers."""

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from youworker_app.core.db import Database
from youworker_app.core.telemetry import get_logger

log = get_logger(__name__)


async def answers(database: Database) -> bool:
    """Whether the database answers now."""
    try:
        async with database.read() as unit:
            await unit.session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError) as error:
        log.warning("database_away", reason=type(error).__name__)
        return False
    return True
