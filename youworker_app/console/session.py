"""One run of a command: the installation is reached, the person signed in, the work done, the end told by an exit code."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import httpx
import typer
from pydantic import ValidationError

from youworker_app.console.connection import OpenAlone, connected
from youworker_app.console.person import Credentials, Person, ask_who, signed_in
from youworker_app.console.problems import FAILED, INTERRUPTED, Problem
from youworker_app.console.screen import Screen
from youworker_app.core.errors import AppError
from youworker_app.core.settings import Settings, what_is_wrong

# Does the work and returns the exit code.
Work: TypeAlias = Callable[[httpx.AsyncClient], Awaitable[int]]


@dataclass(frozen=True)
class Session:
    """What a command needs to run; `typer.Context.obj`. Relative paths start at `called_from`."""

    open_alone: Callable[[Settings, bool], AbstractAsyncContextManager[Path]]
    called_from: Path

    def path(self, given: Path) -> Path:
        """A path as whoever called the command means it."""
        return self.called_from / given

    def run(
        self, screen: Screen, work: Work, person: Person | None = None, *, opens_index: bool = True
    ) -> None:
        """Runs the work, in the person's name if there is one, and ends the command with its exit code.

        Without `opens_index` an installation that has to be opened for it leaves the search index to the work.
        """
        try:
            # Asked before anything runs: an interrupt ends the question at once.
            who = None if person is None else ask_who(person, self.called_from)
            code = asyncio.run(self._work(work, who, lambda settings: self.open_alone(settings, opens_index)))
        except KeyboardInterrupt:
            screen.note("Stopped.")
            code = INTERRUPTED
        except (Problem, AppError, ValidationError, httpx.TransportError) as error:
            screen.note(_sentence(error))
            code = error.code if isinstance(error, Problem) else FAILED
        screen.clear()
        raise typer.Exit(code)

    @staticmethod
    async def _work(work: Work, who: Credentials | None, open_alone: OpenAlone) -> int:
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(connected(Settings(), open_alone))
            if who is not None:
                await stack.enter_async_context(signed_in(client, who))
            return await work(client)


def session_of(context: typer.Context) -> Session:
    """The session that the command line was started with."""
    found = context.find_object(Session)
    if found is None:
        raise LookupError("the command line has no session")
    return found


def _sentence(error: Exception) -> str:
    match error:
        case AppError():
            return error.message
        case ValidationError():
            return f"A setting is wrong. {what_is_wrong(error)}."
        case httpx.TimeoutException():
            return "The server does not answer. What it was asked for may still be done."
        case httpx.TransportError():
            return "The server stopped in the middle. Start it again and repeat the command: nothing is done twice."
    return str(error)
