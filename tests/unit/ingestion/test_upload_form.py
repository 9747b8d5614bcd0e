"""The upload form: any cut of the network's chunks gives the same parts, and nothing is held that is not asked for."""

from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from youworker_app.core.errors import AppError
from youworker_app.ingestion.multipart import MultipartReader, TooMuchLeft, boundary_of
from youworker_app.ingestion.upload_errors import (
    UploadCutShort,
    UploadFieldAfterFile,
    UploadFieldInvalid,
    UploadFieldTooLarge,
    UploadMalformed,
    UploadNotForm,
    UploadTooManyFields,
    UploadTooManyFiles,
)
from youworker_app.ingestion.upload_form import MAX_FIELD_BYTES, MAX_FIELDS, UploadFields, UploadForm

BOUNDARY = b"xYzZy"


def part(name: str, content: bytes, filename: str | None = None, *extra: str) -> bytes:
    kind = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    lines = "".join(f"{line}\r\n" for line in (f"Content-Disposition: {kind}", *extra))
    return b"--" + BOUNDARY + b"\r\n" + lines.encode() + b"\r\n" + content + b"\r\n"


def form_of(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--" + BOUNDARY + b"--\r\n"


class Network:
    """Chunks as a sender would send them, counted as they are taken."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = list(chunks)
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            self.taken += 1
            yield chunk


def opened(
    body: bytes, *, size: int = 1 << 16, max_files: int = 10, max_discarded: int = 1 << 20
) -> UploadForm:
    network = Network(body[start : start + size] for start in range(0, len(body), size))
    reader = MultipartReader(aiter(network), BOUNDARY, max_discarded=max_discarded)
    return UploadForm(reader, UploadFields(), max_files=max_files)


async def read_all(form: UploadForm) -> list[tuple[str, bytes]]:
    files = []
    while (file := await form.next_file()) is not None:
        files.append((file.filename, b"".join([piece async for piece in file.content])))
    return files


TRICKY = [
    b"",
    b"\r\n",
    b"\r\n--" + BOUNDARY[:-1] + b"\r\n",
    b"\r\n--" + BOUNDARY + b"-",
    b"--" + BOUNDARY + b"--\r\n",
    b"\r" * 50,
    b"\r\n--" * 40,
    bytes(range(256)) * 3,
]


@given(
    contents=st.lists(st.one_of(st.sampled_from(TRICKY), st.binary(max_size=300)), min_size=1, max_size=4),
    size=st.integers(1, 700),
)
@settings(max_examples=200, deadline=None)
async def test_any_cut_gives_the_same_files(contents: list[bytes], size: int) -> None:
    body = form_of(part("tags", b"a, b"), *(part("files", c, f"{n}.bin") for n, c in enumerate(contents)))
    form = opened(body, size=size)
    assert await read_all(form) == [(f"{n}.bin", content) for n, content in enumerate(contents)]
    assert form.fields.tags == ["a", "b"]


async def test_fields_say_whose_the_files_become() -> None:
    form = opened(
        form_of(
            part("group_id", b" g-1 "),
            part("is_private", b"False"),
            part("tags", "città,b".encode()),
            part("tags", b"c"),
            part("collection", b"Contracts"),
            part("submit", b"Upload"),
            part("files", b"x", "a.txt"),
        )
    )
    file = await form.next_file()
    assert file is not None
    wanted = form.fields.for_file(file.filename)
    assert (wanted.filename, wanted.group_id, wanted.is_private) == ("a.txt", "g-1", False)
    assert (wanted.tags, wanted.collection) == (("città", "b", "c"), "Contracts")


async def test_empty_fields_say_nothing() -> None:
    form = opened(
        form_of(
            part("group_id", b""), part("is_private", b""), part("tags", b" , "), part("files", b"x", "a")
        )
    )
    assert await read_all(form) == [("a", b"x")]
    assert form.fields == UploadFields()


@pytest.mark.parametrize("name", ["group_id", "is_private", "tags", "collection"])
async def test_a_field_after_a_file_stops_that_file_before_its_end(name: str) -> None:
    form = opened(form_of(part("files", b"content", "a.txt"), part(name, b"true")))
    file = await form.next_file()
    assert file is not None
    with pytest.raises(UploadFieldAfterFile) as caught:
        [piece async for piece in file.content]
    assert form.failure is caught.value
    assert caught.value.details == {"field": name}


async def test_a_late_field_is_refused_when_the_file_before_it_was_not_read() -> None:
    form = opened(form_of(part("files", b"content", "a.txt"), part("group_id", b"g")))
    assert await form.next_file() is not None
    with pytest.raises(UploadFieldAfterFile):
        await form.next_file()


async def test_a_late_field_without_a_meaning_is_let_pass() -> None:
    assert await read_all(opened(form_of(part("files", b"x", "a.txt"), part("submit", b"Go")))) == [
        ("a.txt", b"x")
    ]


async def test_an_empty_choice_of_a_browser_is_no_file() -> None:
    form = opened(form_of(part("files", b"", ""), part("files", b"x", "")))
    assert await read_all(form) == [("", b"x")]


async def test_an_unread_file_is_passed_over() -> None:
    form = opened(form_of(part("files", b"a" * 5_000, "a"), part("files", b"b", "b")), size=64)
    assert (await form.next_file()) is not None
    file = await form.next_file()
    assert file is not None
    assert (file.filename, [piece async for piece in file.content]) == ("b", [b"b"])


async def test_no_more_than_agreed_is_thrown_away() -> None:
    form = opened(
        form_of(part("files", b"a" * 5_000, "a"), part("files", b"b", "b")), size=64, max_discarded=1_000
    )
    assert (await form.next_file()) is not None
    with pytest.raises(TooMuchLeft):
        await form.next_file()


async def test_a_slow_reader_slows_the_sender() -> None:
    body = form_of(part("files", b"a" * 100_000, "a"))
    network = Network(body[start : start + 1_000] for start in range(0, len(body), 1_000))
    form = UploadForm(MultipartReader(aiter(network), BOUNDARY, max_discarded=0), UploadFields(), max_files=1)
    file = await form.next_file()
    assert file is not None
    seen = 0
    async for _ in file.content:
        seen += 1
        assert network.taken <= seen + 1


async def test_a_form_that_stops_in_a_file_fails_the_file() -> None:
    form = opened(form_of(part("files", b"content", "a.txt"))[:-16])
    file = await form.next_file()
    assert file is not None
    with pytest.raises(UploadCutShort):
        [piece async for piece in file.content]
    assert isinstance(form.failure, UploadCutShort)


async def test_a_file_is_not_whole_before_the_form_goes_on() -> None:
    """The boundary alone is not enough: what follows could be a field that forbids the file."""
    form = opened(part("files", b"content", "a.txt") + b"--" + BOUNDARY)
    file = await form.next_file()
    assert file is not None
    with pytest.raises(UploadCutShort):
        [piece async for piece in file.content]


BROKEN: list[tuple[bytes, type[AppError]]] = [
    (b"", UploadCutShort),
    (b"no boundary at all", UploadMalformed),
    (b"--other\r\n", UploadMalformed),
    (b"--" + BOUNDARY + b"\r\n\r\nx\r\n", UploadMalformed),
    (b"--" + BOUNDARY + b"\r\nContent-Type: a/b\r\n\r\n", UploadMalformed),
    (b"--" + BOUNDARY + b"\r\nContent-Disposition: attachment; name=files\r\n\r\n", UploadMalformed),
    (b"--" + BOUNDARY + b"\r\nBad Header: x\r\n\r\n", UploadMalformed),
    (part("files", b"x", "a", "Content-Transfer-Encoding: base64"), UploadMalformed),
    (part("files", b"x", "a", *(f"X-{n}: y" for n in range(9))), UploadMalformed),
    (part("files", b"x", "a", "X-Long: " + "y" * 9_000), UploadMalformed),
    (part("files", b"x", "a" * 9_000), UploadMalformed),
    (b"--" + BOUNDARY + b"\r\n" + b"X" * 1_000_000, UploadMalformed),
    (form_of(part("is_private", b"perhaps")), UploadFieldInvalid),
    (form_of(part("is_private", b"true"), part("is_private", b"false")), UploadFieldInvalid),
    (form_of(part("group_id", b"a"), part("group_id", b"b")), UploadFieldInvalid),
    (form_of(part("group_id", b"a\0b")), UploadFieldInvalid),
    (form_of(part("tags", b"\xff\xfe")), UploadFieldInvalid),
    (form_of(part("tags", b"a," * 1_000)), UploadFieldInvalid),
    (form_of(part("other", b"a" * (MAX_FIELD_BYTES + 1))), UploadFieldTooLarge),
    (form_of(*(part("other", b"") for _ in range(MAX_FIELDS + 1))), UploadTooManyFields),
    (form_of(*(part("files", b"", "") for _ in range(MAX_FIELDS + 1))), UploadTooManyFields),
    (form_of(*(part("files", b"x", "a") for _ in range(11))), UploadTooManyFiles),
]


@pytest.mark.parametrize("number", range(len(BROKEN)))
@pytest.mark.parametrize("size", [1 << 16, 7])
async def test_what_is_broken_is_told(number: int, size: int) -> None:
    body, error = BROKEN[number]
    with pytest.raises(error):
        await read_all(opened(body, size=size))


async def test_the_same_value_twice_is_no_contradiction() -> None:
    form = opened(
        form_of(
            part("group_id", b"a"),
            part("group_id", b"a"),
            part("is_private", b"1"),
            part("is_private", b"yes"),
        )
    )
    await read_all(form)
    assert (form.fields.group_id, form.fields.is_private) == ("a", True)


@pytest.mark.parametrize(
    ("sent", "filename"),
    [
        ("città.pdf", "città.pdf"),
        ("a%22b%0D%0A.txt", 'a"b\r\n.txt'),
        (r"a\"b.txt", 'a"b.txt'),
        ("100%25.txt", "100%25.txt"),
        ("../../etc/passwd", "../../etc/passwd"),  # made safe by the service, like every name
    ],
)
async def test_names_come_as_they_were_meant(sent: str, filename: str) -> None:
    assert (await read_all(opened(form_of(part("files", b"x", sent)))))[0][0] == filename


async def test_a_name_that_is_not_utf8_is_not_lost() -> None:
    body = form_of(part("files", b"x", "NAME")).replace(b"NAME", "città".encode("latin-1"))
    assert (await read_all(opened(body)))[0][0] == "città"


def test_the_boundary_is_read_from_the_header() -> None:
    assert boundary_of('multipart/form-data; boundary="a b"') == b"a b"
    assert boundary_of("Multipart/Form-Data; BOUNDARY=ab; charset=utf-8") == b"ab"


@pytest.mark.parametrize(
    "header", ["", "application/json", "multipart/mixed; boundary=a", "text/plain; boundary=a"]
)
def test_another_type_is_refused(header: str) -> None:
    with pytest.raises(UploadNotForm):
        boundary_of(header)


@pytest.mark.parametrize(
    "header",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        f"multipart/form-data; boundary={'a' * 201}",
        "multipart/form-data; boundary=\u20ac",
    ],
)
def test_a_boundary_that_cannot_be_used_is_refused(header: str) -> None:
    with pytest.raises(UploadMalformed):
        boundary_of(header)
