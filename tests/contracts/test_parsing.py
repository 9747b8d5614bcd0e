"""What a DocumentParser must do with honest files: texts with places, titles, page pictures with marks where they belong."""

import asyncio
import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from tests.files import (
    ENGLISH,
    ITALIAN,
    LEADING,
    LEFT,
    TOP,
    cropped,
    described_pdf,
    form_pdf,
    mapped_pdf,
    pdf_of,
    scanned_pdf,
    turned,
    with_password,
    without_end,
    wrapped,
)
from youworker_app.gateways.parsing.errors import (
    EmptyFile,
    PageNotFound,
    PdfTooManyPages,
    ReaderStopped,
    TypeUnknown,
)
from youworker_app.gateways.parsing.media_types import MARKDOWN, PDF, PLAIN_TEXT
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.parsing.protocol import (
    DocumentMetadata,
    DocumentParser,
    OpenDocument,
    ParserLimits,
    TextUnit,
)

A4_HIGH = 841.89


@pytest.fixture
async def parser() -> AsyncIterator[DocumentParser]:
    parser = LocalParser(ParserLimits(step_seconds=30))
    yield parser
    await parser.close()


async def units_of(
    parser: DocumentParser, data: bytes, media_type: str = PDF, first: int = 1
) -> list[TextUnit]:
    async with parser.open(data, media_type) as document:
        return [unit async for unit in document.units(first)]


async def test_pages_come_in_order_with_their_text(parser: DocumentParser) -> None:
    data = pdf_of([wrapped(ENGLISH), "", wrapped(ITALIAN)], title="Lease of the warehouse")
    async with parser.open(data, PDF) as document:
        assert (document.unit_count, document.page_count, document.title) == (3, 3, "Lease of the warehouse")
        units = [unit async for unit in document.units()]
        assert document.has_text
    assert [(unit.number, unit.kind, unit.label) for unit in units] == [
        (n, "page", str(n)) for n in (1, 2, 3)
    ]
    assert units[0].text.replace("\n", " ") == ENGLISH
    assert units[1].text == ""
    assert units[2].text.replace("\n", " ") == ITALIAN


async def test_reading_goes_on_from_any_page(parser: DocumentParser) -> None:
    data = pdf_of([f"This is page number {number}" for number in range(1, 121)])
    async with parser.open(data, PDF) as document:
        assert [unit.number async for unit in document.units(118)] == [118, 119, 120]
        assert [unit async for unit in document.units(121)] == []
        assert [unit.text async for unit in document.units()][57] == "This is page number 58"


async def test_the_same_bytes_give_the_same_text(parser: DocumentParser) -> None:
    data = pdf_of([wrapped(ITALIAN)] * 3)
    assert await units_of(parser, data) == await units_of(parser, data)


async def test_bookmarks_tell_which_section_a_place_belongs_to(parser: DocumentParser) -> None:
    pages = ["1 Rent\nIt is due.\n1.1 Delay\nIt costs.", "It goes on.", "nothing said\n2 Keys\nAll of them."]
    bookmarks = [(1, 0, "Rent"), (1, 1, "1.1. Delay"), (3, 0, "2 Keys")]
    units = await units_of(parser, pdf_of(pages, bookmarks=bookmarks))
    assert [unit.headings for unit in units] == [
        ((0, "Rent"), (units[0].text.index("1.1 Delay"), "Rent › 1.1. Delay")),
        ((0, "Rent › 1.1. Delay"),),
        ((0, "Rent › 1.1. Delay"), (units[2].text.index("2 Keys"), "2 Keys")),
    ]


async def test_letters_beyond_the_usual_ones(parser: DocumentParser) -> None:
    meaning = {"A": "\U0001d538", "B": "fi", "C": "\ufb01", "D": "d", "E": "\U0001f600", "F": "e\u0301"}
    [unit] = await units_of(parser, mapped_pdf(b"DADBDCDEDFD", meaning))
    assert unit.text == "d\U0001d538dfidfid\U0001f600d\u00e9d"


async def test_a_scan_has_pages_but_no_text(parser: DocumentParser) -> None:
    async with parser.open(scanned_pdf(2), PDF) as document:
        assert [unit.text async for unit in document.units()] == ["", ""]
        assert not document.has_text
        assert len(await document.render_page(2)) > 1000


async def test_what_was_filled_into_a_form_is_read(parser: DocumentParser) -> None:
    [unit] = await units_of(parser, form_pdf("Maria Bianchi"))
    assert unit.text == "Name:\nMaria Bianchi"


async def test_an_owner_password_alone_does_not_lock_a_reader_out(parser: DocumentParser) -> None:
    [unit] = await units_of(parser, with_password(pdf_of(["open to all"]), user="", owner="x"))
    assert unit.text == "open to all"


@pytest.mark.parametrize(
    "title", ["", "untitled", "(anonymous)", "C:\\tmp\\a.doc", "/tmp/x.tex", "12345", "x" * 500]
)
async def test_titles_that_programs_write_are_none(parser: DocumentParser, title: str) -> None:
    async with parser.open(pdf_of(["text"], title=title), PDF) as document:
        assert document.title is None


async def test_a_program_s_name_in_front_of_a_title_goes(parser: DocumentParser) -> None:
    async with parser.open(pdf_of(["text"], title="Microsoft Word - Offerta 2026"), PDF) as document:
        assert document.title == "Offerta 2026"


LEASE = pdf_of(
    [wrapped(ENGLISH), "", wrapped(ITALIAN)],
    title="Lease",
    bookmarks=[(1, 0, "The lease"), (3, 0, "Contratto")],
)
BROKEN = {
    "the end is cut off": without_end(LEASE),
    "the end is cut off in the table": LEASE[: LEASE.rindex(b"trailer") - 90],
    "the trailer is no trailer": LEASE.replace(b"trailer", b"tr\x00iler"),
    "the catalogue is not named": LEASE.replace(b"/Root ", b"/Toor "),
    "another file's catalogue is named": re.sub(rb"/Root \d+", b"/Root 4711", LEASE),
    "a page of something else stands in front": b"x\x01\x02" * 3_000 + b"\n" + LEASE,
}


@pytest.mark.parametrize("case", BROKEN)
async def test_a_file_whose_structure_is_broken_is_read_as_if_it_were_whole(
    parser: DocumentParser, case: str
) -> None:
    whole = await units_of(parser, LEASE)
    for _ in range(2):
        async with parser.open(BROKEN[case], PDF) as document:
            assert document.is_rescued
            assert [unit async for unit in document.units()] == whole
    async with parser.open(LEASE, PDF, preview=True) as document:
        assert not document.is_rescued
        picture_of_whole = await document.render_page(3, marks=[(0, 20)])
    async with parser.open(BROKEN[case], PDF, preview=True) as document:
        assert await document.render_page(3, marks=[(0, 20)]) == picture_of_whole


async def test_a_rescue_with_an_owner_password(parser: DocumentParser) -> None:
    data = with_password(pdf_of(["open to all"]), user="", owner="x").replace(b"/Root ", b"/Toor ")
    async with parser.open(data, PDF) as document:
        assert document.is_rescued
        assert [unit.text async for unit in document.units()] == ["open to all"]


async def metadata_of(parser: DocumentParser, data: bytes, media_type: str = PDF) -> DocumentMetadata:
    async with parser.open(data, media_type) as document:
        first = await document.metadata()
        assert await document.metadata() == first
        return first


async def test_a_file_tells_of_itself(parser: DocumentParser) -> None:
    info = (
        b"/Title (Lease of the \\\nwarehouse) /Author <FEFF004D00610072006900610020004200E8> "
        b"/Producer (xdvipdfmx \\(20211117\\)) /CreationDate (D:20240305101500+01'00')"
    )
    told = DocumentMetadata(
        title="Lease of the warehouse",
        author="Maria Bè",
        created=datetime(2024, 3, 5, 9, 15, tzinfo=UTC),
        producer="xdvipdfmx (20211117)",
    )
    assert await metadata_of(parser, described_pdf(info)) == told
    assert await metadata_of(parser, described_pdf(info).replace(b"/Root ", b"/Toor ")) == told


async def test_a_locked_file_that_opens_without_asking_tells_of_itself(parser: DocumentParser) -> None:
    data = with_password(pdf_of(["x"], title="Lease"), user="", owner="x")
    assert (await metadata_of(parser, data)).title == "Lease"


@pytest.mark.parametrize(
    ("date", "created"),
    [
        (b"D:20240305101500Z", datetime(2024, 3, 5, 10, 15, tzinfo=UTC)),
        (b"D:20240305101500-05'30'", datetime(2024, 3, 5, 15, 45, tzinfo=UTC)),
        (b"D:20240305101500", datetime(2024, 3, 5, 10, 15, tzinfo=UTC)),
        (b"D:2024", datetime(2024, 1, 1, tzinfo=UTC)),
        (b"D:00010101000000+14'00'", None),
        (b"D:99991231235959-12'00'", None),
        (b"D:19040101000000Z", None),
        (b"D:30000101000000Z", None),
        (b"D:March 2024", None),
        (b"yesterday", None),
        (b"", None),
    ],
)
async def test_when_a_file_was_made(parser: DocumentParser, date: bytes, created: datetime | None) -> None:
    assert (await metadata_of(parser, described_pdf(b"/CreationDate (%b)" % date))).created == created


async def test_a_date_without_a_zone_is_the_same_on_every_server(
    parser: DocumentParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        told = await metadata_of(parser, described_pdf(b"/CreationDate (D:20240305101500)"))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert told.created == datetime(2024, 3, 5, 10, 15, tzinfo=UTC)


async def test_a_file_that_tells_nothing_of_use_tells_nothing(parser: DocumentParser) -> None:
    nothing = DocumentMetadata()
    for info in (
        b"",
        b"/Title (untitled) /Author (user) /Producer (\x01\x02)",
        b"/Title (C:\\\\a b\\\\c.doc) /Author (/home/maria/x y) /Producer ( )",
        b"/Title 12 /Author [1 2] /Producer << /A /B >> /CreationDate null",
        b"/Title 99 0 R /Author 6 0 R /Producer 2 0 R /CreationDate 4 0 R",
    ):
        assert await metadata_of(parser, described_pdf(info)) == nothing, info
    assert await metadata_of(parser, pdf_of(["x"]).replace(b"/Info ", b"/Ofni ")) == nothing


async def test_texts_tell_their_title_alone(parser: DocumentParser) -> None:
    assert await metadata_of(parser, b"# Guide\n\nhello", MARKDOWN) == DocumentMetadata(title="Guide")
    assert await metadata_of(parser, b"hello", PLAIN_TEXT) == DocumentMetadata()


async def test_too_many_pages_are_refused() -> None:
    parser = LocalParser(ParserLimits(max_pages=3))
    try:
        with pytest.raises(PdfTooManyPages) as refused:
            await units_of(parser, pdf_of(["x"] * 4))
        assert refused.value.details == {"pages": 4, "limit": 3}
        assert len(await units_of(parser, pdf_of(["x"] * 3))) == 3
    finally:
        await parser.close()


def picture(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


async def marked_box(document: OpenDocument, number: int, mark: tuple[int, int]) -> tuple[float, ...]:
    """What a mark changes in the picture: left, top, right, bottom in points."""
    plain = picture(await document.render_page(number))
    marked = picture(await document.render_page(number, marks=[mark]))
    box = ImageChops.difference(plain, marked).getbbox()
    assert box is not None
    scale = plain.width / 595.28 if plain.width < plain.height else plain.width / A4_HIGH
    return tuple(side / scale for side in box)


async def test_a_mark_lies_on_its_words(parser: DocumentParser) -> None:
    lines = wrapped(ENGLISH).split("\n")
    async with parser.open(pdf_of(["first page", "\n".join(lines)]), PDF) as document:
        text = [unit.text async for unit in document.units()][1]
        start = text.index(lines[1])
        left, top, right, bottom = await marked_box(document, 2, (start, start + len(lines[1])))
    baseline = A4_HIGH - (TOP - LEADING)
    assert left == pytest.approx(LEFT - 1.5, abs=2)
    assert baseline - 14 < top < baseline - 5
    assert baseline < bottom < baseline + 6
    assert LEFT + 300 < right < 595 - LEFT / 2


async def test_a_mark_follows_a_page_that_is_turned(parser: DocumentParser) -> None:
    async with parser.open(turned(pdf_of(["corner"]), 90), PDF) as document:
        left, top, right, bottom = await marked_box(document, 1, (0, 6))
    # Turned clockwise, what stood at the left of the top stands at the top of the right.
    assert A4_HIGH - (A4_HIGH - TOP) - 6 < left < right < A4_HIGH - (A4_HIGH - TOP) + 14
    assert LEFT - 4 < top < LEFT + 4
    assert LEFT + 20 < bottom < LEFT + 50


async def test_a_mark_follows_a_page_that_is_cropped(parser: DocumentParser) -> None:
    data = cropped(pdf_of(["one", "two"]), 50, 700, 250, 800)
    async with parser.open(data, PDF) as document:
        plain = picture(await document.render_page(1))
        marked = picture(await document.render_page(1, marks=[(0, 3)]))
    assert plain.size == (1240, 620)
    left, top, _, bottom = ImageChops.difference(plain, marked).getbbox() or (0, 0, 0, 0)
    scale = 1240 / 200
    assert left / scale == pytest.approx(LEFT - 50 - 1.5, abs=2)
    assert 800 - TOP - 14 < top / scale < bottom / scale < 800 - TOP + 6


async def test_a_mark_after_letters_of_two_units_and_ligatures_is_not_shifted(parser: DocumentParser) -> None:
    meaning = {"A": "\U0001d538", "B": "fi", "C": "\ufb01", "D": "d", "E": "\U0001f600", "F": "e\u0301"}
    data = mapped_pdf(b"ABCEF  D", meaning)
    async with parser.open(data, PDF) as document:
        [unit] = [unit async for unit in document.units()]
        place = unit.text.index("d")
        plain = picture(await document.render_page(1))
        marked = picture(await document.render_page(1, marks=[(place, place + 1)]))
    left, _, right, _ = ImageChops.difference(plain, marked).getbbox() or (0, 0, 0, 0)
    before = (
        (13.34 + 13.34 + 14.44 + 13.34 + 12.22 + 2 * 5.56 + 20) * 1240 / 300
    )  # Helvetica's widths at 20 points
    assert left == pytest.approx(before, abs=14)
    assert right - left < 24 * 1240 / 300


async def test_marks_outside_the_text_are_ignored(parser: DocumentParser) -> None:
    async with parser.open(pdf_of(["short"]), PDF) as document:
        plain = await document.render_page(1)
        for mark in [(5, 5), (4, 2), (100, 200), (-5, -1), (5, 10**9)]:
            assert await document.render_page(1, marks=[mark]) == plain, mark
        assert await document.render_page(1, marks=[(-3, 10**9)]) != plain


async def test_pictures_have_the_width_that_was_asked_for_within_the_limit(parser: DocumentParser) -> None:
    async with parser.open(pdf_of(["x"]), PDF) as document:
        assert picture(await document.render_page(1, width_px=600)).width == 600
        large = picture(await document.render_page(1, width_px=100_000))
        assert large.width * large.height <= ParserLimits().picture_pixels * 1.01


async def test_pages_that_are_not_there_have_no_picture(parser: DocumentParser) -> None:
    async with parser.open(pdf_of(["x"]), PDF) as document:
        for number in (0, -1, 2, 10**12):
            with pytest.raises(PageNotFound):
                await document.render_page(number)
    async with parser.open(b"text", PLAIN_TEXT) as text:
        with pytest.raises(PageNotFound):
            await text.render_page(1)


async def test_a_preview_does_not_wait_behind_reading(parser: DocumentParser) -> None:
    data = pdf_of(["x"])
    async with parser.open(data, PDF), asyncio.timeout(5), parser.open(data, PDF, preview=True) as preview:
        assert await preview.render_page(1)


async def test_reading_waits_for_its_turn(parser: DocumentParser) -> None:
    data = pdf_of(["x"])
    async with parser.open(data, PDF):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3), parser.open(data, PDF):
                pass
    assert len(await units_of(parser, data)) == 1


def children() -> dict[int, str]:
    """Readers that this process has running, with their limits."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        for pid in (task / "children").read_text().split():
            if b"pdf_child" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found[int(pid)] = Path(f"/proc/{pid}/limits").read_text()
    return found


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def test_a_reader_is_locked_down_and_ends_with_its_document() -> None:
    parser = LocalParser(ParserLimits(memory_bytes=300 * 1024 * 1024))
    os.environ["YOUWORKER_TEST_SECRET"] = "not-for-children"
    try:
        async with parser.open(pdf_of(["x"]), PDF):
            [(pid, limits)] = children().items()
            environment = environment_of(pid)
        table = {line[:25].strip(): line[25:].split()[:2] for line in limits.splitlines()}
        assert table["Max address space"] == [str(300 * 1024 * 1024)] * 2
        assert table["Max file size"] == ["0", "0"]
        assert table["Max core file size"] == ["0", "0"]
        assert b"SECRET" not in environment
        assert children() == {}
    finally:
        del os.environ["YOUWORKER_TEST_SECRET"]
        await parser.close()


async def test_closing_ends_everything_and_blames_no_file() -> None:
    parser = LocalParser()
    async with parser.open(pdf_of(["x"]), PDF) as document, parser.open(pdf_of(["y"]), PDF, preview=True):
        await parser.close()
        with pytest.raises(ReaderStopped):
            await document.render_page(1)
        assert children() == {}
    with pytest.raises(ReaderStopped):
        await units_of(parser, pdf_of(["x"]))


async def test_a_reader_that_is_given_up_in_mid_work_is_gone(parser: DocumentParser) -> None:
    data = pdf_of([wrapped(ENGLISH)] * 400)

    async def read() -> None:
        async with parser.open(data, PDF) as document:
            async for _ in document.units():
                await asyncio.sleep(0.001)

    reading = asyncio.create_task(read())
    await asyncio.sleep(0.2)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert children() == {}
    assert len(await units_of(parser, pdf_of(["x"]))) == 1


async def test_questions_to_one_document_wait_for_each_other(parser: DocumentParser) -> None:
    async with parser.open(pdf_of([f"page {number}" for number in range(40)]), PDF) as document:
        pictures, texts = await asyncio.gather(
            asyncio.gather(*(document.render_page(number, width_px=100) for number in range(1, 9))),
            asyncio.create_task(_texts(document)),
        )
    assert len(pictures) == 8
    assert texts == [f"page {number}" for number in range(40)]


async def _texts(document: OpenDocument) -> list[str]:
    return [unit.text async for unit in document.units()]


async def test_plain_text_is_one_part(parser: DocumentParser) -> None:
    [unit] = await units_of(parser, "\ufeffCiao è\r\nfine\r".encode(), PLAIN_TEXT)
    assert unit == TextUnit(1, "Ciao è\nfine\n", "part", "1")


async def test_markdown_is_cut_at_its_headings(parser: DocumentParser) -> None:
    text = "intro\n\n# Guide\n\nhello\n\n## Install\nrun it\n\n```\n# no heading\n```\n\nUse\n===\ngo\n"
    async with parser.open(text.encode(), MARKDOWN) as document:
        units = [unit async for unit in document.units()]
        assert (document.title, document.page_count, document.unit_count) == ("Guide", None, 4)
    assert "".join(unit.text for unit in units) == text
    assert [(unit.kind, unit.label) for unit in units] == [
        ("part", "1"),
        ("section", "Guide"),
        ("section", "Guide › Install"),
        ("section", "Use"),
    ]


async def test_nothing_and_strange_types_are_refused(parser: DocumentParser) -> None:
    for data, media_type in (
        (b"", PDF),
        (b"", PLAIN_TEXT),
        (b" \n ", PLAIN_TEXT),
        (b"\xef\xbb\xbf", MARKDOWN),
    ):
        with pytest.raises(EmptyFile):
            await units_of(parser, data, media_type)
    for data, media_type in ((b"a\x00b" * 50, PLAIN_TEXT), (b"x", "image/png")):
        with pytest.raises(TypeUnknown):
            await units_of(parser, data, media_type)


@pytest.mark.parametrize(
    ("module", "libraries"),
    [("parser", ["pypdfium2", "pypdf"]), ("pdf_child", ["pypdf"])],  # pypdf would double the start of a child
)
def test_pdf_libraries_are_loaded_where_they_are_needed_alone(module: str, libraries: list[str]) -> None:
    program = f"import sys, youworker_app.gateways.parsing.{module}; sys.exit(any(map(sys.modules.get, {libraries})))"
    subprocess.run([sys.executable, "-c", program], check=True, env={"PYTHONPATH": os.getcwd()}, timeout=60)


async def test_a_dead_reader_costs_its_own_document_alone(parser: DocumentParser) -> None:
    async with parser.open(pdf_of(["x"] * 3), PDF) as document:
        [pid] = children()
        os.kill(pid, signal.SIGSEGV)
        async with asyncio.timeout(15):  # half of what a step may take: its end is seen, not waited for
            with pytest.raises(Exception, match="could not be read"):
                await document.render_page(1)
    assert len(await units_of(parser, pdf_of(["x"]))) == 1
