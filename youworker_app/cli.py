"""The command line: `youworker …`. Mounts what the domains bring; they talk to the running server, or open the installation."""

import os
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from pathlib import Path

import typer

from youworker_app.accounts import cli as accounts
from youworker_app.accounts import master_key_cli
from youworker_app.audit import cli as audit
from youworker_app.console.session import Session
from youworker_app.core.settings import Settings
from youworker_app.ingestion import cli as ingestion
from youworker_app.ingestion import vectors_cli
from youworker_app.retrieval import cli as retrieval

PROJECT_ROOT = Path(__file__).resolve().parent.parent

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="YouWorker: ask your documents.",
    pretty_exceptions_enable=False,  # they show what variables hold, a password among them
)
app.add_typer(ingestion.app)
app.add_typer(retrieval.app)
app.add_typer(vectors_cli.app, name="vectors")
app.add_typer(accounts.app, name="users")
app.add_typer(audit.app, name="audit")
app.add_typer(master_key_cli.app, name="master-key")


@app.callback()
def prepare(context: typer.Context) -> None:
    """YouWorker: ask your documents."""
    context.obj = Session(open_alone, Path.cwd())
    # The server's settings file and data folder, wherever the command is called from.
    os.chdir(PROJECT_ROOT)


@app.command()
def serve() -> None:
    """Start the server (as `make run` does, without building)."""
    raise typer.Exit(import_module("youworker_app.serve").main())


def open_alone(settings: Settings, opens_index: bool) -> AbstractAsyncContextManager[Path]:
    """The installation in this process. It takes a second to load, which a command that finds a server need not wait for."""
    opened: AbstractAsyncContextManager[Path] = import_module("youworker_app.standalone").opened(
        settings, opens_index=opens_index
    )
    return opened


if __name__ == "__main__":
    app()
