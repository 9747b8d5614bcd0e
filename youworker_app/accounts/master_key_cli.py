"""`youworker master-key`: the key that wraps all others. Needs nobody's name, but the data folder."""

from typing import Annotated, Any

import httpx
import typer

from youworker_app.console.lines import lines_of
from youworker_app.console.screen import Screen
from youworker_app.console.session import session_of
from youworker_app.core.secrets import KeyPlace
from youworker_app.core.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The master key.")

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@app.callback()
def master_key() -> None:
    """The master key."""


@app.command()
def rotate(context: typer.Context, as_json: JsonOption = False) -> None:
    """Wrap every data key under a new master key, while the server runs or without one. Run it again if it was cut off."""
    screen = Screen(as_json=as_json)

    async def work(client: httpx.AsyncClient) -> int:
        told: dict[str, Any] = {}
        async for line in lines_of(client, "/maintenance/master-key/rotate"):
            told = line["progress"]
            if as_json:
                screen.record(told)
            screen.progress(f"wrapping: {told['done']} of {told['total']} data keys")
        if not as_json:
            _tell(screen, told)
        return 0

    session_of(context).run(screen, work, opens_index=False)


def _tell(screen: Screen, told: dict[str, Any]) -> None:
    screen.line(
        f"The master key is rotated: {told['changed']} of {told['total']} data keys were wrapped anew."
    )
    if told["is_outside"]:
        screen.note("Now take the old key out of YOUWORKER_SECURITY_MASTER_KEYS and start the server again.")
    else:
        screen.note(
            f"The old key lies in {KeyPlace(Settings()).retired}. Backups made before today need it: move it to where you keep "
            "the keys of your backups, or delete it. Back up the folder it lies in, too."
        )
