"""The command line: `youworker …`. Adapters only; an embedded installation is opened under its lock."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import typer

from youworker_app import serve as launcher
from youworker_app.core.errors import AppError
from youworker_app.core.ownership import DataFolder
from youworker_app.core.settings import Settings
from youworker_app.core.telemetry import configure_logging
from youworker_app.wiring import Installation, compose

app = typer.Typer(no_args_is_help=True, add_completion=False, help="YouWorker: ask your documents.")
vectors = typer.Typer(no_args_is_help=True, help="The search index.")
app.add_typer(vectors, name="vectors")


@app.command()
def serve() -> None:
    """Start the server (as `make run` does, without building)."""
    raise typer.Exit(launcher.main())


@vectors.command()
def reindex() -> None:
    """Empty the search index; the next start fills it again with the configured embedding model."""
    count = asyncio.run(_opened(_reindex))
    typer.echo(f"{count} documents will be indexed again at the next start.")


async def _reindex(installation: Installation) -> int:
    total = 0
    async for progress in installation.maintenance.reindex():
        total = progress.documents_total
    return total


async def _opened(work: Callable[[Installation], Awaitable[int]]) -> int:
    settings = Settings()
    configure_logging(level="WARNING")
    folder = None
    try:
        folder = DataFolder(settings.storage.data_dir).own()
        installation = compose(settings)
        try:
            await installation.migrate()
            return await work(installation)
        finally:
            await installation.close()
    except AppError as error:
        typer.echo(error.message, err=True)
        sys.exit(1)
    finally:
        if folder is not None:
            folder.release()


if __name__ == "__main__":
    app()
