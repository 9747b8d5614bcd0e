"""Files on their way from a disk to the upload route, one request each, and what became of each."""

import asyncio
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from youworker_app.console.problems import WRONG_USE, Problem, answer_of, sentence_of
from youworker_app.console.screen import plain

_FIRST_LOOK_S: Final = 0.05
_SLOWEST_LOOK_S: Final = 0.5
_KNOWN: Final = "already there"


@dataclass(frozen=True)
class Source:
    """A file to send, and how whoever named it calls it."""

    name: str
    path: Path


@dataclass
class Outcome:
    """What became of a file. `state`: sent, ready, known (the same content was there), failed."""

    name: str
    state: str = "sent"
    document_id: str | None = None
    job_id: str | None = None
    error: str = ""

    def line(self) -> str:
        """For a person."""
        reason = self.error or (_KNOWN if self.state == "known" else "")
        return f"{self.state:<6}  {plain(self.name)}" + (f"  ({plain(reason)})" if reason else "")

    def record(self) -> dict[str, Any]:
        """For a script."""
        return {
            "file": self.name,
            "state": self.state,
            "document_id": self.document_id,
            "job_id": self.job_id,
            "error": self.error or None,
        }


def sources(paths: list[Path], resolve: Callable[[Path], Path], *, recursive: bool) -> list[Source]:
    """The files that paths mean, folders in order of their names without hidden ones. Raises Problem when there is none."""
    found = [source for path in paths for source in _expand(path, resolve(path), recursive=recursive)]
    if not found:
        more = "" if recursive else " Folders inside folders need --recursive."
        raise Problem(
            f"There are no files in {', '.join(plain(str(path)) for path in paths)}.{more}", code=WRONG_USE
        )
    return found


def _expand(named: Path, path: Path, *, recursive: bool) -> Iterator[Source]:
    if path.is_file():
        yield Source(_readable(named), path)
        return
    if not path.is_dir():
        raise Problem(f"There is no file or folder {plain(_readable(named))}.", code=WRONG_USE)
    try:
        inside = sorted(path.iterdir())
    except OSError as error:
        raise Problem(f"The folder {plain(_readable(named))} cannot be read ({error.strerror}).") from None
    for each in inside:
        if each.name.startswith("."):
            continue
        # A link to a folder may lead back up: what it holds is named by whoever wants it.
        if each.is_file() or (recursive and each.is_dir() and not each.is_symlink()):
            yield from _expand(named / each.name, each, recursive=recursive)


def _readable(path: Path) -> str:
    """A name as text, also where its bytes are none."""
    return os.fsencode(path).decode("utf-8", "replace")


class _Watched(io.FileIO):
    """A file that tells how far it was read, from 0 to 1."""

    def __init__(self, path: Path, on_read: Callable[[float], None]) -> None:
        super().__init__(path)
        self._on_read, self._size = on_read, max(1, os.fstat(self.fileno()).st_size)

    def read(self, size: int | None = -1, /) -> bytes:
        chunk = super().read(-1 if size is None else size)
        self._on_read(self.tell() / self._size)
        return chunk or b""


class Sender:
    """Sends files with the same fields; `progress` is told what happens."""

    def __init__(
        self, client: httpx.AsyncClient, fields: dict[str, Any], progress: Callable[[str], None]
    ) -> None:
        self._client, self._fields, self._progress = client, fields, progress

    async def send(self, source: Source, prefix: str = "") -> Outcome:
        """Sends one file. What is wrong with the file is in the outcome; raises httpx.TransportError for the rest."""
        outcome = Outcome(source.name)

        def on_read(part: float) -> None:
            self._progress(f"{prefix}sending {part:.0%} {source.name}")

        try:
            with _Watched(source.path, on_read) as file:
                sent = {"files": (Path(source.name).name, file, "application/octet-stream")}
                response = await self._client.post("/v1/ingest/upload", data=self._fields, files=sent)
        except OSError as error:
            outcome.state, outcome.error = "failed", f"It cannot be read: {error.strerror}."
        except httpx.LocalProtocolError:
            outcome.state, outcome.error = "failed", "It changed while it was sent."
        else:
            _note_answer(outcome, response)
        return outcome

    async def settle(self, outcome: Outcome) -> None:
        """Waits until a sent document can be found, or has failed."""
        pause = _FIRST_LOOK_S
        while not await self.is_settled(outcome):
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _SLOWEST_LOOK_S)

    async def is_settled(self, outcome: Outcome) -> bool:
        """Looks once."""
        if outcome.state not in {"sent", "known"} or outcome.job_id is None:
            return True
        response = await self._client.get(f"/v1/ingest/jobs/{outcome.job_id}")
        if response.status_code == httpx.codes.NOT_FOUND:
            outcome.state, outcome.error = "failed", "It was deleted meanwhile."
            return True
        job = answer_of(response)
        if job["state"] in {"queued", "running"}:
            waits_for = f": {job['error']}" if job["error"] else ""
            self._progress(f"reading {job['progress']:.0%} {outcome.name}{waits_for}")
            return False
        if job["state"] != "done":
            outcome.state, outcome.error = "failed", job["error"] or "It was cancelled."
        elif outcome.state == "sent":
            outcome.state = "ready"
        return True


def _note_answer(outcome: Outcome, response: httpx.Response) -> None:
    if response.is_error:
        outcome.state, outcome.error = "failed", sentence_of(response)
        return
    item = response.json()["items"][0]
    outcome.document_id, outcome.job_id = item["document_id"], item["job_id"]
    if item["duplicate_of"]:
        outcome.state = "known"
