"""The archive of an export: safe names, nothing whole in memory, and what cannot be read is named instead of hidden."""

import io
import json
import zipfile
from collections.abc import AsyncIterator

import pytest

from youworker_app.accounts.archive import LONGEST_NAME_BYTES, Archive, Names, packed
from youworker_app.core.exports import ExportedFile, json_file, json_head, json_list
from youworker_app.gateways.blobs.errors import BlobDamaged, StorageAway

HOSTILE = (
    "../../etc/passwd",
    "/etc/passwd",
    "..\\..\\windows\\system32",
    "a/../../b",
    "C:\\boot.ini",
    "con.txt",
    "LPT1",
    "x\0y\n\u202etxt.exe",
    "trailing. ",
    "...",
    "",
    "/",
    "é" * 300 + ".pdf",
    "a" * 400,
)


@pytest.mark.parametrize("wanted", HOSTILE)
def test_a_name_stays_in_its_folder(wanted: str) -> None:
    name = Names().take(wanted)
    parts = name.split("/")
    assert name
    assert not name.startswith("/")
    assert not {"..", ".", ""} & set(parts)
    assert not set(name) & set('\\:*?"<>|\0\n\u202e')
    assert all(len(part.encode()) <= LONGEST_NAME_BYTES for part in parts)
    assert all(part == part.strip(" .") for part in parts)
    assert parts[-1].partition(".")[0].lower() not in {"con", "lpt1"}


def test_equal_names_are_told_apart() -> None:
    names = Names()
    assert [names.take(each) for each in ("a/b.pdf", "a/B.PDF", "a/b.pdf", "a/b")] == [
        "a/b.pdf",
        "a/B (2).PDF",
        "a/b (3).pdf",
        "a/b",
    ]


def test_a_long_name_keeps_its_extension() -> None:
    assert Names().take("é" * 300 + ".pdf").endswith("é.pdf")


async def files(*given: ExportedFile) -> AsyncIterator[ExportedFile]:
    for each in given:
        yield each


async def pieces(*given: bytes, error: Exception | None = None) -> AsyncIterator[bytes]:
    for each in given:
        yield each
    if error:
        raise error


async def nothing(_: ExportedFile) -> None: ...


async def unpacked(*given: ExportedFile) -> tuple[dict[str, bytes], Archive]:
    archive = Archive()
    data = b"".join([piece async for piece in packed(files(*given), archive, nothing)])
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        assert zipped.testzip() is None
        assert {info.external_attr >> 16 for info in zipped.infolist()} <= {0o600}
        return {info.filename: zipped.read(info) for info in zipped.infolist()}, archive


async def test_what_goes_in_comes_out() -> None:
    found, archive = await unpacked(
        json_file("profile.json", {"name": "Änna"}),
        ExportedFile("../../evil.bin", pieces(b"\0" * 100_000, b"x"), is_packed=True),
        ExportedFile("evil.bin", pieces(b"other"), is_packed=True),
        ExportedFile("empty.txt", pieces()),
    )
    assert json.loads(found["profile.json"]) == {"name": "Änna"}
    assert found["evil.bin"] == b"\0" * 100_000 + b"x"
    assert (found["evil (2).bin"], found["empty.txt"]) == (b"other", b"")
    assert archive.files == len(found) == 4


async def test_lists_of_any_length_are_json() -> None:
    async def numbers(most: int) -> AsyncIterator[object]:
        for number in range(most):
            yield {"n": number}

    found, _ = await unpacked(
        json_list("three.json", numbers(3)),
        json_list("none.json", numbers(0)),
        json_list("object.json", numbers(2), head=json_head({"title": 'a "b" }'}, "messages")),
    )
    assert json.loads(found["three.json"]) == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert json.loads(found["none.json"]) == []
    assert json.loads(found["object.json"]) == {"title": 'a "b" }', "messages": [{"n": 0}, {"n": 1}]}


async def test_a_damaged_file_is_named_and_the_rest_goes_on() -> None:
    found, _ = await unpacked(
        ExportedFile("broken.bin", pieces(b"begin", error=BlobDamaged())),
        ExportedFile("whole.bin", pieces(b"whole")),
    )
    assert found["whole.bin"] == b"whole"
    [problem] = json.loads(found["problems.json"])
    assert (problem["file"], problem["code"]) == ("broken.bin", BlobDamaged.code)


async def test_what_may_come_back_is_not_left_out() -> None:
    with pytest.raises(StorageAway):
        await unpacked(ExportedFile("away.bin", pieces(b"begin", error=StorageAway(reason="EIO"))))


async def test_pieces_leave_as_they_come() -> None:
    """A file of any size takes no more than a piece: each is on its way before the next is asked for."""
    asked = 0

    async def many() -> AsyncIterator[bytes]:
        nonlocal asked
        for _ in range(50):
            asked += 1
            yield b"\0" * 10_000

    sent = 0
    async for piece in packed(files(ExportedFile("large", many(), is_packed=True)), Archive(), nothing):
        sent += len(piece)
        assert sent >= (asked - 1) * 10_000
    assert sent > 500_000
