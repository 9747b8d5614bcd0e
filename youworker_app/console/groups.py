"""The group that an option names, among those of who uses the command."""

from typing import Annotated, TypeAlias

import httpx
import typer

from youworker_app.console.problems import Problem, answer_of
from youworker_app.console.screen import plain

GroupOption: TypeAlias = Annotated[
    str, typer.Option("--group", metavar="NAME", help="One of your groups.", show_default=False)
]


async def group_id(client: httpx.AsyncClient, name: str) -> str:
    """The id of one's own group of that name (or id). Raises Problem."""
    mine = answer_of(await client.get("/v1/groups/me"))["items"]
    for group in mine:
        if name in {group["name"], group["id"]}:
            return str(group["id"])
    known = ", ".join(sorted(plain(group["name"]) for group in mine)) or "none"
    raise Problem(f"You are in no group named {plain(name)}. Your groups: {known}.")
