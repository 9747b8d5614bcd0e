"""Files that mean harm, or are simply broken: each costs itself alone, in bounded time and memory, with a clear message."""

import asyncio
import random
import re
import time
import zipfile
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from io import BytesIO

import pytest

from tests.files import (
    CATALOG,
    ENGLISH,
    HELVETICA,
    ITALIAN,
    MIB,
    ONE_PAGE,
    PAGE,
    bomb_pdf,
    huge_picture_pdf,
    laughing_pdf,
    looping_pdf,
    lying_pdf,
    one_page_pdf,
    pdf_of,
    raw_pdf,
    scanned_pdf,
    stream,
    with_password,
    without_end,
    wrapped,
    zero_page_pdf,
)
from youworker_app.core.errors import AppError
from youworker_app.gateways.parsing.errors import (
    EmptyFile,
    FileTooComplex,
    FileUnreadable,
    PdfDamaged,
    PdfPasswordProtected,
    PdfWithoutPages,
    TypeComesLater,
    TypeMislabelled,
    TypeRefused,
    TypeUnknown,
)
from youworker_app.gateways.parsing.media_types import MARKDOWN, PDF, PLAIN_TEXT, detect_media_type
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.parsing.protocol import DocumentMetadata, ParserLimits, TextUnit
from youworker_app.ingestion.chunking import chunk_unit

GOOD = pdf_of([wrapped(ENGLISH)] * 6)


@pytest.fixture
async def parser() -> AsyncIterator[LocalParser]:
    parser = LocalParser(ParserLimits(memory_bytes=400 * MIB, step_seconds=15))
    yield parser
    await parser.close()


async def read(parser: LocalParser, data: bytes, media_type: str = PDF) -> list[TextUnit]:
    async with parser.open(data, media_type) as document:
        return [unit async for unit in document.units()]


async def show(parser: LocalParser, data: bytes) -> bytes:
    async with parser.open(data, PDF, preview=True) as document:
        return await document.render_page(1, marks=[(0, 50)])


def rootless(pdf: bytes) -> bytes:
    """What pdfium refuses and a rescue is tried on."""
    assert b"/Root " in pdf
    return pdf.replace(b"/Root ", b"/Toor ")


def packed_bombs(count: int) -> bytes:
    """Streams of packed objects that unpack to 70 MiB each."""
    packed = zlib.compress(b"1 0 " + bytes(70 * MIB), 9)
    packs = [stream(packed, b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode")] * count
    return raw_pdf([CATALOG, ONE_PAGE, PAGE, stream(b""), HELVETICA, *packs])


def missing_pages(count: int) -> bytes:
    """Each of the pages is searched for in 20 MiB of nothing."""
    kids = b" ".join(b"%d 0 R" % number for number in range(10, 10 + count))
    pages = b"<< /Type /Pages /Kids [%b] /Count 1 >>" % kids
    return raw_pdf([CATALOG, pages, PAGE, stream(b" " * 20 * MIB)])


def pdf_with_chain(length: int) -> bytes:
    """A font that leads to a font that leads to a font …"""
    links = [b"<< /Type /Font /Next %d 0 R >>" % (number + 6) for number in range(length)]
    return raw_pdf([CATALOG, ONE_PAGE, PAGE, stream(b"BT ET"), *links, HELVETICA])


def damaged(seed: int) -> bytes:
    """A good PDF with a tenth of a percent of its bytes changed."""
    chance = random.Random(seed)
    data = bytearray(GOOD)
    for _ in range(max(1, len(data) // 1000)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


LONG = pdf_of([wrapped(ENGLISH)] * 40, title="Lease")


def locked_and_cut() -> bytes:
    """Cut off before the object that says how it was locked: nothing tells that there was a lock."""
    data = with_password(GOOD, user="", owner="x")
    return data[: data.rindex(b" obj", 0, data.index(b"/Standard")) - 4]


REFUSED: dict[str, tuple[bytes, type[AppError]]] = {
    "nothing": (b"", EmptyFile),
    "a header and nothing else": (b"%PDF-1.7\n", PdfDamaged),
    "a header and noise": (b"%PDF-1.7\n" + random.Random(1).randbytes(20_000), PdfDamaged),
    "cut off in the middle": (GOOD[: len(GOOD) // 3], PdfDamaged),
    "no pages": (zero_page_pdf(), PdfWithoutPages),
    "a page tree that loops": (looping_pdf(), PdfDamaged),
    "a password": (with_password(GOOD, user="open sesame", owner="x"), PdfPasswordProtected),
    "two million open brackets": (b"%PDF-1.7\n1 0 obj\n" + b"[" * 2_000_000, PdfDamaged),
    "a gigabyte of blanks in a page": (bomb_pdf(1024 * MIB), FileTooComplex),
    "200 MiB of drawing in a page": (bomb_pdf(200 * MIB, pattern=b"0 0 m 9 9 l S "), FileTooComplex),
    "a billion drawings in 2.5 kB": (laughing_pdf(), FileTooComplex),
    "a cut in the pages' content": (LONG[: len(LONG) * 9 // 10], PdfDamaged),
    "a cut in the pages' content, with a title": (
        LONG[: len(LONG) // 2] + b"\nendstream\nendobj\n",
        PdfDamaged,
    ),
    "a page that is named and missing": (
        rootless(GOOD).replace(b"/Kids [ 3 0 R", b"/Kids [ 888 0 R"),
        PdfDamaged,
    ),
    "a font that is named and missing": (rootless(GOOD).replace(b"/F1 2 0 R", b"/F1 888 0 R"), PdfDamaged),
    "a lock whose key was cut off": (without_end(with_password(GOOD, user="", owner="x")), PdfDamaged),
    "a lock that was cut off": (locked_and_cut(), PdfDamaged),
    "a password and damage": (rootless(with_password(GOOD, user="secret", owner="x")), PdfPasswordProtected),
    "no pages and damage": (rootless(zero_page_pdf()), PdfWithoutPages),
    "a page tree that loops and damage": (rootless(looping_pdf()), PdfDamaged),
    "a gigabyte of blanks and damage": (rootless(bomb_pdf(1024 * MIB)), FileTooComplex),
    "a billion drawings and damage": (rootless(laughing_pdf()), FileTooComplex),
    "a very long way to a font": (rootless(pdf_with_chain(20_000)), PdfDamaged),
    "half a million trailers": (b"%PDF-1.4\n" + b"trailer << /Prev 0 >> " * 200_000, PdfDamaged),
    "sixty megabytes of blanks": (b"%PDF-1.4\n" + b" " * 60 * MIB, PdfDamaged),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_bad_pdf_is_refused_quickly_and_the_next_one_is_read(parser: LocalParser, case: str) -> None:
    data, error = REFUSED[case]
    async with asyncio.timeout(60):  # against hanging: the parser's own bound is 15 s a step
        with pytest.raises(error):
            await read(parser, data)
        with pytest.raises((error, PdfDamaged)):
            await show(parser, data)
    assert len(await read(parser, GOOD)) == 6
    assert await show(parser, GOOD)


@pytest.mark.parametrize(
    "data",
    [laughing_pdf(), rootless(missing_pages(50_000)), rootless(packed_bombs(60))],
    ids=["drawing", "searching", "unpacking"],
)
async def test_a_file_that_takes_too_long_is_given_up(data: bytes) -> None:
    parser = LocalParser(ParserLimits(memory_bytes=8192 * MIB, step_seconds=0.8))
    try:
        async with asyncio.timeout(30):  # against hanging: that it was given up is told by the error
            with pytest.raises(FileTooComplex):
                await read(parser, data)
    finally:
        await parser.close()


async def test_metadata_that_stops_the_reader_cost_themselves_alone() -> None:
    strays = b"".join(b"\n%d 0 obj<</A<</B<</C 1>>>>>>endobj" % number for number in range(100, 600_000))
    good = pdf_of(["x"], title="Lease")
    table = good.rindex(b"\nxref\n")
    # pdfium finds its way through these in half a second, pypdf in ten.
    data = good[:table] + strays + re.sub(rb"startxref\s+\d+", b"startxref\n0", good[table:])
    parser = LocalParser(ParserLimits(step_seconds=3))
    try:
        async with parser.open(data, PDF) as document:
            assert [unit.text async for unit in document.units()] == ["x"]
            assert await document.metadata() == DocumentMetadata(title="Lease")
            with pytest.raises(FileTooComplex):
                await document.render_page(1)
        assert len(await read(parser, good)) == 1
    finally:
        await parser.close()


FEW_OR_MANY = pytest.mark.parametrize("times", [20, pytest.param(400, marks=pytest.mark.long)])


@FEW_OR_MANY
async def test_files_cut_off_anywhere_are_read_whole_or_not_at_all(parser: LocalParser, times: int) -> None:
    whole = await read(parser, GOOD)
    endings = {"read": 0, "refused": 0}
    for length in range(len(GOOD) - 1, 0, -max(1, len(GOOD) // times)):
        try:
            assert await read(parser, GOOD[:length]) == whole, length
            endings["read"] += 1
        except PdfDamaged:
            endings["refused"] += 1
    assert min(endings.values()) > 0


async def test_a_page_count_that_lies_costs_nothing(parser: LocalParser) -> None:
    for count in (3_000, 2**31 - 1):
        units = await read(parser, lying_pdf(count))
        assert units[0].text == "only page"
        assert not any(unit.text for unit in units[1:])


async def test_a_picture_of_billions_of_pixels_is_survived(parser: LocalParser) -> None:
    data = huge_picture_pdf(30_000)
    assert [unit.text for unit in await read(parser, data)] == [""]
    with suppress(FileTooComplex, FileUnreadable):
        assert await show(parser, data)
    assert await show(parser, GOOD)


@pytest.mark.parametrize(
    "box",
    [
        b"[0 0 0 0]",
        b"[0 0 1e30 1e30]",
        b"[0 0 100000 1]",
        b"[0 0 1 100000]",
        b"[300 200 0 0]",
        b"[-9e9 -9e9 9e9 9e9]",
        b"[0 0]",
        b"(x)",
        b"[0 0 0.0001 0.0001]",
    ],
)
async def test_pages_of_absurd_sizes_are_survived(parser: LocalParser, box: bytes) -> None:
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox %b /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>"
        % box
    )
    data = one_page_pdf(b"BT /F 12 Tf 20 150 Td (text) Tj ET", page=page)
    assert len(await read(parser, data)) == 1
    with suppress(FileTooComplex, FileUnreadable, PdfDamaged):
        assert len(await show(parser, data)) < 40 * MIB
    assert len(await read(parser, GOOD)) == 6


@FEW_OR_MANY
async def test_damage_anywhere_ends_in_text_or_in_an_error_of_ours(parser: LocalParser, times: int) -> None:
    endings = {"read": 0, "refused": 0}
    for seed in range(times):
        try:
            await read(parser, damaged(seed))
            await show(parser, damaged(seed))
            endings["read"] += 1
        except AppError:
            endings["refused"] += 1
    assert endings["read"] > 0
    assert len(await read(parser, GOOD)) == 6


@FEW_OR_MANY
async def test_any_bytes_end_in_text_or_in_an_error_of_ours(parser: LocalParser, times: int) -> None:
    for seed in range(times):
        chance = random.Random(seed)
        data = chance.choice([b"", b"%PDF-1.4\n", b"MZ", b"PK\x03\x04", b"# "]) + chance.randbytes(
            chance.randrange(1, 3_000)
        )
        for media_type in (PDF, PLAIN_TEXT, MARKDOWN):
            try:
                units = await read(parser, data, media_type)
            except AppError:
                continue
            assert all("\x00" not in unit.text and unit.text.encode() for unit in units if unit.text)


async def test_a_page_of_one_endless_line(parser: LocalParser) -> None:
    content = b"BT /F 1 Tf 20 150 Td " + b"(".join([b"", *[b"word " * 5_000 + b") Tj "] * 4]) + b"ET"
    [unit] = await read(parser, one_page_pdf(content))
    assert unit.text.split() == ["word"] * 20_000
    chunks = chunk_unit(unit, first_ordinal=0)
    assert sum(chunk.text.count("word") for chunk in chunks) == 20_000


@pytest.mark.parametrize(
    "line",
    [
        "a" * 100_000,
        "ab " * 33_000,
        "# " + "#" * 100_000 + "x",
        "[" * 100_000,
        "- " * 50_000,
        "`" * 100_000,
        " " * 99_999 + "x",
    ],
)
async def test_texts_of_endless_lines_are_read_in_time(parser: LocalParser, line: str) -> None:
    begun = time.process_time()  # of this process alone, however busy the machine is
    data = "\n".join([line] * 5 + ["==="]).encode()
    for media_type in (PLAIN_TEXT, MARKDOWN):
        units = await read(parser, data, media_type)
        assert "".join(unit.text for unit in units) == data.decode()
        chunks = [chunk for unit in units for chunk in chunk_unit(unit, first_ordinal=0)]
        assert max(len(chunk.text) for chunk in chunks) <= 900
    assert time.process_time() - begun < 10


def zipped(*names: str) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


EXE = (
    b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00"
    + bytes(200)
    + b"This program cannot be run in DOS mode."
)
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(60)

ACCEPTED: dict[str, tuple[bytes, str, str]] = {
    "a PDF": (GOOD, "report.pdf", PDF),
    "a PDF named .txt": (GOOD, "report.txt", PDF),
    "a PDF without a name": (GOOD, "", PDF),
    "a PDF behind blanks": (b"\r\n\n" + GOOD, "x.pdf", PDF),
    "a PDF behind the headers of a mail": (b"Content-Type: application/pdf\r\n\r\n" + GOOD, "x.pdf", PDF),
    "a PDF behind a page of something else": (b"\x00\x01\xffx" * 1_000 + b"\n" + GOOD, "x.pdf", PDF),
    "a scan": (scanned_pdf(), "x.pdf", PDF),
    "a text": (ITALIAN.encode(), "nota.txt", PLAIN_TEXT),
    "a text without an extension": (b"hello there", "README", PLAIN_TEXT),
    "a text of an old program": (ITALIAN.encode("cp1252"), "nota.txt", PLAIN_TEXT),
    "a text of Windows' editor": (ITALIAN.encode("utf-16"), "nota.txt", PLAIN_TEXT),
    "markdown": (b"# Title\n", "notes.MD", MARKDOWN),
    "markdown by its long name": (b"# Title\n", "notes.markdown", MARKDOWN),
    "a text about PDFs": (b"How it begins:\n\n%PDF-1.7\n\nand so on", "pdf.md", MARKDOWN),
    "a text that begins like a program": ("MZ S.p.A. è una società".encode(), "a.txt", PLAIN_TEXT),
    "a table": (b"a;b;c\n1;2;3\n", "table.csv", PLAIN_TEXT),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_the_content_tells_the_type(case: str) -> None:
    data, name, media_type = ACCEPTED[case]
    assert detect_media_type(data, name) == media_type


MISTYPED: dict[str, tuple[bytes, str, type[AppError], str]] = {
    "nothing": (b"", "a.pdf", EmptyFile, ""),
    "blanks": (b" \r\n\t", "a.txt", EmptyFile, ""),
    "zeros": (bytes(5_000), "a.txt", EmptyFile, ""),
    "a program": (EXE, "setup.exe", TypeRefused, "Windows EXE"),
    "a program named .txt": (EXE, "readme.txt", TypeRefused, "Windows EXE"),
    "a program named .pdf": (EXE, "invoice.pdf", TypeRefused, "Windows EXE"),
    "a program with a PDF in it": (EXE + b"\n" + GOOD, "invoice.pdf", TypeRefused, "Windows EXE"),
    "a Linux program": (b"\x7fELF\x02\x01\x01" + bytes(50), "a.txt", TypeRefused, "Linux ELF"),
    "an archive": (zipped("a.txt"), "a.txt", TypeRefused, "ZIP"),
    "a Word document": (zipped("[Content_Types].xml", "word/document.xml"), "a.docx", TypeComesLater, "Word"),
    "a Word document named .pdf": (zipped("word/document.xml"), "a.pdf", TypeComesLater, "Word"),
    "an Excel table": (zipped("xl/workbook.xml"), "a.xlsx", TypeComesLater, "Excel"),
    "an old Word document": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99),
        "a.doc",
        TypeComesLater,
        "Office",
    ),
    "a picture": (PNG, "a.png", TypeComesLater, "PNG"),
    "a picture named .pdf": (PNG, "a.pdf", TypeComesLater, "PNG"),
    "rich text": (b"{\\rtf1\\ansi hello}", "a.txt", TypeComesLater, "RTF"),
    "a web page": (b"<!doctype html><p>hi", "a.html", TypeComesLater, "HTML"),
    "text named .pdf": (b"This is not a PDF.", "a.pdf", TypeMislabelled, ".pdf"),
    "text named .docx": (b"Nor a Word document.", "a.docx", TypeMislabelled, ".docx"),
    "noise": (random.Random(7).randbytes(4_000), "a.txt", TypeUnknown, "neither a PDF nor text"),
    "a text with zeros in it": (b"hello\x00world" * 20, "a.txt", TypeUnknown, "neither a PDF nor text"),
    "half a character of UTF-16": (b"\xff\xfea\x00b", "a.txt", TypeUnknown, "neither a PDF nor text"),
}


@pytest.mark.parametrize("case", MISTYPED)
def test_other_content_is_refused_by_what_it_is(case: str) -> None:
    data, name, error, says = MISTYPED[case]
    with pytest.raises(error) as refused:
        detect_media_type(data, name)
    assert type(refused.value) is error
    assert says in refused.value.message
    assert "?" not in refused.value.message
    assert refused.value.http_status in {415, 422}


def test_noise_is_never_taken_for_text() -> None:
    chance = random.Random(11)
    taken = []
    for _ in range(400):
        data = chance.randbytes(chance.randrange(64, 4_000))
        try:
            taken.append((detect_media_type(data, "a.txt"), data[:20]))
        except AppError:
            continue
    assert taken == []


def test_the_beginning_of_a_long_file_is_enough_to_tell() -> None:
    text = ("è" * 9_000).encode()
    for cut in range(8_000, 8_010):
        assert detect_media_type(text[:cut], "a.txt", is_complete=False) == PLAIN_TEXT
    assert detect_media_type(b" " * 9_000, "a.txt", is_complete=False) == PLAIN_TEXT
    assert detect_media_type(GOOD[:1_000], "a", is_complete=False) == PDF


@pytest.mark.parametrize("media_type", ["text/plain", "text/markdown"])
async def test_a_text_that_would_take_too_much_memory_is_told_to_be_split(media_type: str) -> None:
    parser = LocalParser(ParserLimits(text_bytes=1_000))
    async with parser.open(b"a" * 1_000, media_type) as document:
        assert document.unit_count == 1
    with pytest.raises(FileTooComplex):
        async with parser.open(b"a" * 1_001, media_type):
            pass
    await parser.close()
