"""`youworker ingest`: files and folders go in as they do through the page, with the rights of who sends them."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from youworker_app.console.groups import GroupOption, group_id
from youworker_app.console.person import PasswordOption, Person, UserOption
from youworker_app.console.problems import FAILED
from youworker_app.console.screen import Screen
from youworker_app.console.session import session_of
from youworker_app.ingestion.sending import Outcome, Sender, Source, sources

app = typer.Typer()


@app.command()
def ingest(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files and folders.")],
    group: GroupOption = "",
    private: Annotated[bool, typer.Option("--private", help="For you alone, also in a group.")] = False,
    tags: Annotated[
        list[str] | None, typer.Option("--tag", help="A tag for each document; can be repeated.")
    ] = None,
    collection: Annotated[str, typer.Option(help="A collection for each document.", show_default=False)] = "",
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Folders inside folders too.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait until they can be found.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON a file, for scripts.")
    ] = False,
    user: UserOption = "",
    password_file: PasswordOption = None,
) -> None:
    """Put documents in and wait until they can be found. Exit code 1 when a file could not be taken."""
    screen, session = Screen(as_json=as_json), session_of(context)

    async def work(client: httpx.AsyncClient) -> int:
        files = sources(paths, session.path, recursive=recursive)
        fields: dict[str, Any] = {"tags": list(tags or ()), "collection": collection}
        if group:
            fields["group_id"] = await group_id(client, group)
        if private:
            fields["is_private"] = "true"
        return await _send(screen, Sender(client, fields, screen.progress), files, wait=not no_wait)

    session.run(screen, work, Person(user, password_file))


async def _send(screen: Screen, sender: Sender, files: list[Source], *, wait: bool) -> int:
    """Sends one after the other, and tells each in this order as soon as it is known."""
    told: Counter[str] = Counter()
    waiting: list[Outcome] = []
    for number, source in enumerate(files, 1):
        waiting.append(await sender.send(source, f"{number}/{len(files)} "))
        while waiting and (not wait or await sender.is_settled(waiting[0])):
            _tell(screen, waiting.pop(0), told)
    for outcome in waiting:
        await sender.settle(outcome)
        _tell(screen, outcome, told)
    if len(files) > 1 and not screen.as_json:
        parts = ", ".join(f"{count} {state}" for state, count in sorted(told.items()))
        screen.note(f"{len(files)} files: {parts}.")
    return FAILED if told["failed"] else 0


def _tell(screen: Screen, outcome: Outcome, told: Counter[str]) -> None:
    told[outcome.state] += 1
    if screen.as_json:
        screen.record(outcome.record())
    else:
        screen.line(outcome.line())
