"""`youworker audit`: the trail is verified, exported and retired. Exporting asks who you are: root alone may."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import httpx
import typer

from youworker_app.audit.schemas import KINDS
from youworker_app.console.lines import lines_of
from youworker_app.console.person import PasswordOption, Person, UserOption
from youworker_app.console.problems import FAILED, WRONG_USE, Problem, sentence_of
from youworker_app.console.screen import Screen
from youworker_app.console.session import session_of

app = typer.Typer(no_args_is_help=True, help="The audit trail.")
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
SinceOption = Annotated[str, typer.Option("--from", help="From this time on, as 2026-11-01T00:00:00Z.")]
UntilOption = Annotated[str, typer.Option("--to", help="Before this time.")]


@app.command()
def verify(
    context: typer.Context,
    anchor: Annotated[
        str, typer.Option(metavar="BLOCK:MAC", help="A block's number and MAC that were kept elsewhere.")
    ] = "",
    since: SinceOption = "",
    until: UntilOption = "",
    as_json: JsonOption = False,
) -> None:
    """Look whether the trail is as it was written. Exit code 1 when it is not; the first broken place is named.

    It tells how far it is and can be broken off. With --from and --to it looks at the blocks of that time alone.
    """
    screen = Screen(as_json=as_json)
    asked = {**_known(anchor), "from": since, "to": until}
    wanted = urlencode({name: value for name, value in asked.items() if value})

    async def work(client: httpx.AsyncClient) -> int:
        screen.progress("verifying…")
        report: dict[str, Any] = {}
        async for told in lines_of(client, f"/maintenance/audit/verify?{wanted}"):
            report = told["report"]
            if report["next_cursor"] is not None:
                screen.progress(_progress(report))
        _show(screen, report)
        return 0 if report["is_intact"] else FAILED

    session_of(context).run(screen, work, opens_index=False)


@app.command()
def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The CSV file to write; it must not exist yet.")],
    actor: Annotated[str, typer.Option(help="Only what this person did (a name or an id).")] = "",
    action: Annotated[str, typer.Option(help="Only this action, or all that begin with this word.")] = "",
    resource: Annotated[str, typer.Option(help="Only this resource (an id or a type).")] = "",
    since: SinceOption = "",
    until: UntilOption = "",
    reason: Annotated[str, typer.Option(help="Ask for what people read too; recorded.")] = "",
    user: UserOption = "",
    password_file: PasswordOption = None,
) -> None:
    """Write events into a CSV file, the newest first."""
    screen = Screen()
    session = session_of(context)
    asked = {
        "actor": actor,
        "action": action,
        "resource": resource,
        "from": since,
        "to": until,
        "reason": reason,
    }
    wanted = {name: value for name, value in asked.items() if value}

    async def work(client: httpx.AsyncClient) -> int:
        async with client.stream("GET", "/v1/audit/export", params=wanted, timeout=None) as response:
            if response.is_error:
                await response.aread()
                raise Problem(sentence_of(response))
            count = await _write(session.path(file), response)
        screen.line(f"{count} events are in {file}.")
        return 0

    session.run(screen, work, Person(user, password_file), opens_index=False)


@app.command()
def retire(
    context: typer.Context,
    days: Annotated[int, typer.Option(min=1, help="Take away what is older than so many days.")],
    as_json: JsonOption = False,
) -> None:
    """Take old events away for good. Their blocks stay, so that everything after them still verifies."""
    screen = Screen(as_json=as_json)

    async def work(client: httpx.AsyncClient) -> int:
        retired: dict[str, Any] = {}
        async for told in lines_of(client, f"/maintenance/audit/retire?days={days}"):
            retired = told["retired"]
        if as_json:
            screen.record(retired)
        else:
            screen.line(f"Retired: {retired['events']} events in {retired['blocks']} blocks.")
        return 0

    session_of(context).run(screen, work, opens_index=False)


def _progress(report: Mapping[str, Any]) -> str:
    return f"verifying… block {report['last_block']} of {report['until_block']}, {report['events']} events"


def _known(anchor: str) -> Mapping[str, str]:
    if not anchor:
        return {}
    number, _, mac = anchor.partition(":")
    if not (number.isascii() and number.isdigit() and mac.isalnum()):
        raise typer.BadParameter("an anchor looks like 17:9f3c…", param_hint="--anchor")
    return {"block": str(int(number)), "mac": mac}


async def _write(path: Path, response: httpx.Response) -> int:
    """How many events were written. Raises Problem."""
    count = -1  # the headings
    try:
        with path.open("xb") as file:
            async for piece in response.aiter_bytes():
                count += piece.count(b"\n")  # there is none inside a cell
                file.write(piece)
    except OSError as error:
        raise Problem(f"{path} cannot be written: {error.strerror}.", code=WRONG_USE) from error
    return count


def _show(screen: Screen, report: Mapping[str, Any]) -> None:
    if screen.as_json:
        screen.record(report)
        return
    size = f"{report['events']} events in {report['blocks']} blocks, {report['unsealed']} not sealed yet"
    broken = report["first_broken"]
    if broken is None:
        screen.line(f"The audit trail is as it was written: {size}.")
        screen.line(f"Its last block is {report['last_block']}:{report['last_mac']}")
        return
    screen.line(f"The audit trail is broken: {KINDS[broken['kind']]}")
    places = [f"block {broken['block']}" if broken["block"] else "", f"event {broken['event_id'] or ''}"]
    screen.line("First at " + ", ".join(place for place in places if place not in {"", "event "}))
