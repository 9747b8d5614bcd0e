"""`youworker vectors`: the search index is compared with the database, repaired and rebuilt. Needs nobody's name."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import httpx
import typer

from youworker_app.console.lines import lines_of
from youworker_app.console.problems import FAILED
from youworker_app.console.screen import Screen
from youworker_app.console.session import session_of

app = typer.Typer(no_args_is_help=True, help="The search index.")

_FOUND: Final = {
    "missing": "documents of which nothing is in the index",
    "incomplete": "documents of which some passages are not in the index",
    "unknown": "documents in the index that do not exist",
    "wrong_visibility": "documents that the wrong people could be offered",
    "surplus_points": "points that belong to no passage",
}
_REPAIRED: Final = {
    "documents_reopened": "documents are embedded again",
    "documents_embedded": "documents were embedded again",
    "documents_removed": "documents that do not exist were removed",
    "points_removed": "points that belong to no passage were removed",
    "visibility_corrected": "documents are offered to the right people again",
}
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@app.command()
def check(
    context: typer.Context,
    repair: Annotated[bool, typer.Option("--repair", help="Put right what is found.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare the search index with the database. Exit code 1 when something is wrong and not repaired."""
    screen = Screen(as_json=as_json)

    async def work(client: httpx.AsyncClient) -> int:
        screen.progress("comparing…")
        report: dict[str, Any] = {}
        async for told in lines_of(client, f"/maintenance/vectors/check?repair={repair}"):
            report = told["report"]
        _show(screen, report)
        return 0 if report["is_clean"] or repair else FAILED

    session_of(context).run(screen, work, opens_index=False)


@app.command()
def reindex(context: typer.Context, as_json: JsonOption = False) -> None:
    """Rebuild the search index with the configured embedding model."""
    screen = Screen(as_json=as_json)

    async def work(client: httpx.AsyncClient) -> int:
        done: dict[str, Any] = {}
        async for told in lines_of(client, "/maintenance/vectors/reindex"):
            done = told["progress"]
            if as_json:
                screen.record(done)
            screen.progress(_stage(done))
        if not as_json:
            screen.line(f"The search index is rebuilt: {done['documents_total']} documents.")
        return 0

    session_of(context).run(screen, work, opens_index=False)


def _stage(done: Mapping[str, Any]) -> str:
    waiting = f", waiting: {done['waiting_for']}" if done["waiting_for"] else ""
    return f"rebuilding: {done['documents_done']} of {done['documents_total']} documents{waiting}"


def _show(screen: Screen, report: Mapping[str, Any]) -> None:
    if screen.as_json:
        screen.record(report)
        return
    size = f"{report['documents']} documents, {report['points']} points"
    if report["is_clean"]:
        screen.line(f"All is well: {size}.")
        return
    screen.line(f"{size}. Found:")
    for name, meaning in _FOUND.items():
        _count(screen, report[name], meaning)
    if report["repairs"] is None:
        screen.note("Put it right with: youworker vectors check --repair")
        return
    screen.line("Repaired:")
    for name, meaning in _REPAIRED.items():
        _count(screen, report["repairs"].get(name, 0), meaning)


def _count(screen: Screen, found: int | list[str], meaning: str) -> None:
    count = found if isinstance(found, int) else len(found)
    if count:
        screen.line(f"{count:>8}  {meaning}")
