"""`youworker search`: the passages that answer, with the rights of who asks."""

from collections.abc import Mapping
from typing import Annotated, Any

import httpx
import typer

from youworker_app.console.groups import GroupOption, group_id
from youworker_app.console.person import PasswordOption, Person, UserOption
from youworker_app.console.problems import answer_of
from youworker_app.console.screen import Screen, paragraph, plain
from youworker_app.console.session import session_of

app = typer.Typer()
_SHOWN_LINES = 5


@app.command()
def search(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    group: GroupOption = "",
    limit: Annotated[int, typer.Option(min=1, max=100, help="Most passages shown.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
    user: UserOption = "",
    password_file: PasswordOption = None,
) -> None:
    """Show the passages that answer a question, best first."""
    screen = Screen(as_json=as_json)

    async def work(client: httpx.AsyncClient) -> int:
        wanted: dict[str, Any] = {"query": question, "limit": limit}
        if group:
            wanted["group_id"] = await group_id(client, group)
        _show(screen, answer_of(await client.post("/v1/search", json=wanted)))
        return 0

    session_of(context).run(screen, work, Person(user, password_file))


def _show(screen: Screen, found: Mapping[str, Any]) -> None:
    if screen.as_json:
        screen.record(found)
        return
    for rank, passage in enumerate(found["items"], 1):
        screen.line(f"{rank:>2}  {passage['score']:.2f}  {_place(passage)}")
        screen.line(paragraph(passage["text"], indent=4, most_lines=_SHOWN_LINES))
    if not found["items"]:
        screen.note("Nothing found that you can see.")


def _place(passage: Mapping[str, Any]) -> str:
    parts = [passage["filename"]]
    if passage["page"] is not None:
        parts.append(f"page {passage['page']}")
    elif passage["locator"]["label"]:
        parts.append(passage["locator"]["label"])
    return plain(", ".join(parts))
