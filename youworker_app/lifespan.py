"""What happens around serving: the installation starts before the first request and stops after the last."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from youworker_app.core.errors import ConfigurationError
from youworker_app.core.settings import Settings
from youworker_app.serve import address
from youworker_app.wiring import running


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    """Runs the installation. What an administrator has to change is told in one sentence, and the start ends there."""
    settings = Settings()
    try:
        async with running(settings) as (_, setup_token):
            if setup_token is not None:
                _invite(f"{address(settings.server)}/setup?token={setup_token}")
            yield
    except ConfigurationError as error:
        print(f"YouWorker cannot start: {error.message}", file=sys.stderr, flush=True)
        raise SystemExit(1) from None


def _invite(link: str) -> None:
    """The one-time link; printed, never logged."""
    print(
        f"\nThere is no account yet. Make the first one here (the link works once):\n\n    {link}\n",
        flush=True,
    )
