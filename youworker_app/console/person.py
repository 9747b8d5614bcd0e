"""Who uses a command: a name with a password, or an API key. Neither is ever an argument: those are for all to read."""

import getpass
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import httpx
import typer

from youworker_app.api.cookies import SESSION_COOKIE
from youworker_app.console.problems import WRONG_USE, Problem, answer_of
from youworker_app.core.settings import CommandSettings

STANDARD_INPUT: Final = Path("-")
_KEY_VARIABLE: Final = "YOUWORKER_API_KEY"

UserOption: TypeAlias = Annotated[
    str,
    typer.Option("--user", metavar="NAME", help="Who you are. Default: YOUWORKER_USER.", show_default=False),
]
PasswordOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="Holds your password; - reads it from standard input.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Credentials:
    """A name and its password, or a key and no name."""

    user: str = ""
    secret: str = field(default="", repr=False)


@dataclass(frozen=True)
class Person:
    """What the options say."""

    user: str
    password_file: Path | None


def ask_who(person: Person, called_from: Path) -> Credentials:
    """From the options, the environment, and a question on the terminal, in this order. Raises Problem."""
    settings = CommandSettings()
    # The programs that this one may start have no need of it.
    os.environ.pop(_KEY_VARIABLE, None)
    key = settings.api_key.get_secret_value()
    if key and not person.user and person.password_file is None:
        return Credentials(secret=key)
    name = person.user or settings.user
    if not name:
        raise Problem(
            f"Say who you are: --user NAME, YOUWORKER_USER, or an API key in {_KEY_VARIABLE}.", code=WRONG_USE
        )
    return Credentials(name, _password(name, person.password_file, called_from))


def _password(name: str, file: Path | None, called_from: Path) -> str:
    if file is None and not sys.stdin.isatty():
        raise Problem(
            "There is no terminal to ask for the password: use --password-file (- for standard input).",
            code=WRONG_USE,
        )
    if file is None:
        return getpass.getpass(f"Password of {name}: ")
    try:
        text = (
            sys.stdin.readline()
            if file == STANDARD_INPUT
            else (called_from / file).read_text(encoding="utf-8")
        )
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Problem(f"The password file {file} cannot be read ({reason}).", code=WRONG_USE) from None
    return text.split("\n", 1)[0].removesuffix("\r")


@asynccontextmanager
async def signed_in(client: httpx.AsyncClient, who: Credentials) -> AsyncIterator[None]:
    """The client's requests are this person's until the context is left. Raises Problem."""
    if not who.user:
        client.headers["authorization"] = f"Bearer {who.secret}"
        yield
        return
    login = {"username": who.user, "password": who.secret}
    response = await client.post("/v1/auth/login", json=login)
    token = answer_of(response)["csrf_token"]
    client.headers["cookie"] = f"{SESSION_COOKIE}={response.cookies[SESSION_COOKIE]}"
    client.headers["x-csrf-token"] = token
    client.cookies.clear()
    try:
        yield
    finally:
        with suppress(httpx.HTTPError):
            await client.post("/v1/auth/logout")
