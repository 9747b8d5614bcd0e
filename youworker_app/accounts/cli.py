"""`youworker users …`: people's accounts, for administrators."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import httpx
import typer

from youworker_app.console.person import PasswordOption, Person, UserOption
from youworker_app.console.problems import Problem, answer_of
from youworker_app.console.screen import Screen, plain
from youworker_app.console.session import session_of

app = typer.Typer(no_args_is_help=True, help="People's accounts (for administrators).")

NameArgument: TypeAlias = Annotated[str, typer.Argument(help="The person's user name.")]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@dataclass(frozen=True)
class Change:
    """A command that changes `fields` of a person, who then is `told`."""

    word: str
    help: str
    told: str
    fields: Mapping[str, bool]


CHANGES: Final = (
    Change(
        "suspend",
        "Sign a person out and keep them out, at once; what is theirs stays.",
        "suspended",
        {"is_active": False},
    ),
    Change("restore", "Let a suspended person in again.", "restored", {"is_active": True}),
    Change("promote", "Make a person an administrator.", "an administrator", {"is_root": True}),
    Change(
        "demote",
        "Make an administrator an ordinary person, at once.",
        "no administrator any more",
        {"is_root": False},
    ),
    Change(
        "hold",
        "Keep a person's conversations, whoever would delete them: themselves, the retention rule, an erasure.",
        "on hold",
        {"is_held": True},
    ),
    Change("release", "End a hold.", "not on hold any more", {"is_held": False}),
)


@app.command("list")
def list_people(
    context: typer.Context,
    as_json: JsonOption = False,
    user: UserOption = "",
    password_file: PasswordOption = None,
) -> None:
    """List everybody."""
    screen = Screen(as_json=as_json)

    async def work(client: httpx.AsyncClient) -> int:
        for person in await _everybody(client):
            screen.record(person) if as_json else screen.line(_line(person))
        return 0

    session_of(context).run(screen, work, Person(user, password_file))


@app.command()
def add(
    context: typer.Context,
    name: NameArgument,
    is_root: Annotated[bool, typer.Option("--root", help="Make an administrator.")] = False,
    as_json: JsonOption = False,
    user: UserOption = "",
    password_file: PasswordOption = None,
) -> None:
    """Add a person and print the link by which they choose their password."""
    screen = Screen(as_json=as_json)

    async def work(client: httpx.AsyncClient) -> int:
        made = answer_of(await client.post("/v1/users", json={"username": name, "is_root": is_root}))
        await _print_link(client, screen, made)
        return 0

    session_of(context).run(screen, work, Person(user, password_file))


@app.command()
def reset(
    context: typer.Context,
    name: NameArgument,
    as_json: JsonOption = False,
    user: UserOption = "",
    password_file: PasswordOption = None,
) -> None:
    """Print a link by which a person chooses a new password: it opens once, for a day."""
    _do(context, name, Person(user, password_file), _print_link, Screen(as_json=as_json))


@app.command()
def remove(
    context: typer.Context,
    name: NameArgument,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    user: UserOption = "",
    password_file: PasswordOption = None,
) -> None:
    """Erase a person and what is theirs for good; what they shared with a group stays there."""
    if not is_sure:
        typer.confirm(f"Erase {plain(name)} and what is theirs for good?", abort=True, err=True)

    async def erase(client: httpx.AsyncClient, screen: Screen, person: Mapping[str, Any]) -> None:
        answer_of(await client.delete(f"/v1/users/{person['id']}"))
        screen.line(f"{plain(person['username'])} is removed.")

    _do(context, name, Person(user, password_file), erase)


_Deed: TypeAlias = Callable[[httpx.AsyncClient, Screen, Mapping[str, Any]], Awaitable[None]]


def _do(context: typer.Context, name: str, who: Person, deed: _Deed, screen: Screen | None = None) -> None:
    """Finds the person and does it."""
    shown = screen or Screen()

    async def work(client: httpx.AsyncClient) -> int:
        await deed(client, shown, await _find(client, name))
        return 0

    session_of(context).run(shown, work, who)


def _changing(told: str, **change: bool) -> _Deed:
    async def deed(client: httpx.AsyncClient, screen: Screen, person: Mapping[str, Any]) -> None:
        answer_of(await client.patch(f"/v1/users/{person['id']}", json=change))
        screen.line(f"{plain(person['username'])} is {told}.")

    return deed


def _command(change: Change) -> Callable[[typer.Context, str, str, Path | None], None]:
    def run(
        context: typer.Context,
        name: NameArgument,
        user: UserOption = "",
        password_file: PasswordOption = None,
    ) -> None:
        _do(context, name, Person(user, password_file), _changing(change.told, **change.fields))

    return run


async def _print_link(client: httpx.AsyncClient, screen: Screen, person: Mapping[str, Any]) -> None:
    made = answer_of(await client.post(f"/v1/users/{person['id']}/reset"))
    if screen.as_json:
        screen.record(made)
        return
    screen.line(made["link"])
    screen.note(f"Give this link to {plain(person['username'])} alone. It opens once, within a day.")


for _each in CHANGES:
    app.command(_each.word, help=_each.help)(_command(_each))


async def _everybody(client: httpx.AsyncClient, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    asked: dict[str, str] = {"limit": "200", "q": query}
    while True:
        page = answer_of(await client.get("/v1/users", params=asked))
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        asked["cursor"] = page["next_cursor"]


async def _find(client: httpx.AsyncClient, name: str) -> dict[str, Any]:
    """The person of exactly this name. Raises Problem."""
    for person in await _everybody(client, name):
        if person["username"].casefold() == name.casefold():
            return person
    raise Problem(f"There is nobody named {plain(name)}.")


def _line(person: Mapping[str, Any]) -> str:
    told = {
        "administrator": person["is_root"],
        "suspended": not person["is_active"],
        "company sign-in": person["has_identity"],
        "no password yet": not (person["has_password"] or person["has_identity"]),
        "on hold": person["is_held"],
    }
    states = ", ".join(word for word, is_so in told.items() if is_so)
    return f"{plain(person['username'])}  ({states})" if states else plain(person["username"])
