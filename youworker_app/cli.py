"""The command line: `youworker …`. Mounts what the domains bring; they talk to the running server, or open the installation."""

import asyncio
import os
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from pathlib import Path

import typer

from youworker_app.console.problems import FAILED
from youworker_app.console.session import Session
from youworker_app.core.errors import AppError
from youworker_app.core.ownership import DataFolder
from youworker_app.core.settings import Settings
from youworker_app.ingestion import cli as ingestion
from youworker_app.retrieval import cli as retrieval

PROJECT_ROOT = Path(__file__).resolve().parent.parent

app = typer.Typer(no_args_is_help=True, add_completion=False, help="YouWorker: ask your documents.")
app.add_typer(ingestion.app)
app.add_typer(retrieval.app)
vectors = typer.Typer(no_args_is_help=True, help="The search index.")
app.add_typer(vectors, name="vectors")


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


@vectors.command()
def reindex() -> None:
    """Empty the search index; the next start fills it again with the configured embedding model."""
    settings = Settings()
    try:
        folder = DataFolder(settings.storage.data_dir).own()
        try:
            count = asyncio.run(import_module("youworker_app.standalone").reindexed(settings))
        finally:
            folder.release()
    except AppError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(FAILED) from None
    typer.echo(f"{count} documents will be indexed again at the next start.")


def open_alone(settings: Settings) -> AbstractAsyncContextManager[Path]:
    """The installation in this process. It takes a second to load, which a command that finds a server need not wait for."""
    opened: AbstractAsyncContextManager[Path] = import_module("youworker_app.standalone").opened(settings)
    return opened


if __name__ == "__main__":
    app()
