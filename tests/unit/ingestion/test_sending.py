"""Which files a command sends, and what it says of each."""

from pathlib import Path

import httpx
import pytest

from youworker_app.console.problems import WRONG_USE, Problem
from youworker_app.ingestion.sending import Outcome, Sender, Source, sources


def named(paths: list[str], folder: Path, *, recursive: bool = False) -> list[str]:
    return [source.name for source in sources([Path(p) for p in paths], folder.joinpath, recursive=recursive)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.txt", "a.txt", "sub/c.txt", ".hidden", ".git/config"):
        (tmp_path / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "docs" / name).write_text("x")
    (tmp_path / "docs" / "loop").symlink_to(tmp_path / "docs", target_is_directory=True)
    (tmp_path / "docs" / "link.txt").symlink_to(tmp_path / "docs" / "a.txt")
    return tmp_path


def test_a_folder_means_its_files(folder: Path) -> None:
    assert named(["docs"], folder) == ["docs/a.txt", "docs/b.txt", "docs/link.txt"]


def test_recursive_means_the_folders_inside_and_no_circle(folder: Path) -> None:
    assert named(["docs"], folder, recursive=True) == [
        "docs/a.txt",
        "docs/b.txt",
        "docs/link.txt",
        "docs/sub/c.txt",
    ]


def test_what_is_named_is_taken_even_if_hidden(folder: Path) -> None:
    assert named(["docs/.hidden", "docs/a.txt"], folder) == ["docs/.hidden", "docs/a.txt"]


@pytest.mark.parametrize(
    ("path", "sentence"), [("nowhere", "no file or folder nowhere"), ("empty", "no files in empty")]
)
def test_a_wrong_path_is_told_before_anything_is_sent(folder: Path, path: str, sentence: str) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(Problem, match=sentence) as told:
        named(["docs", path] if path == "nowhere" else [path], folder)
    assert told.value.code == WRONG_USE


async def sent(path: Path, answer: httpx.Response) -> tuple[Outcome, list[str]]:
    told: list[str] = []

    async def handle(request: httpx.Request) -> httpx.Response:
        await request.aread()
        return answer

    transport = httpx.MockTransport(handle)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await Sender(client, {}, told.append).send(Source(path.name, path)), told


async def test_a_file_that_cannot_be_read_fails_alone(folder: Path) -> None:
    outcome, _ = await sent(folder / "gone.txt", httpx.Response(500))
    assert outcome.line() == "failed  gone.txt  (It cannot be read: No such file or directory.)"


async def test_how_far_it_is_is_told(folder: Path) -> None:
    (folder / "long.txt").write_bytes(b"x" * 300_000)
    item = {"document_id": "d", "job_id": "j", "duplicate_of": None}
    outcome, told = await sent(folder / "long.txt", httpx.Response(202, json={"items": [item]}))
    assert outcome.state == "sent"
    assert told[-1] == "sending 100% long.txt"
    assert len(told) > 2


async def test_the_servers_sentence_is_kept(folder: Path) -> None:
    refused = httpx.Response(413, json={"error": {"message": "Too large."}})
    outcome, _ = await sent(folder / "docs" / "a.txt", refused)
    assert outcome.record()["error"] == "Too large."
    odd, _ = await sent(folder / "docs" / "a.txt", httpx.Response(502, text="<html>"))
    assert "502" in odd.error
