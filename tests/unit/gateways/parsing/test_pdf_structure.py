"""What pypdf does for pdfium, without a child."""

import pypdfium2 as pdfium
import pytest

from tests.files import (
    CATALOG,
    HELVETICA,
    ONE_PAGE,
    PAGE,
    described_pdf,
    one_page_pdf,
    pdf_of,
    raw_pdf,
    stream,
    with_password,
    without_end,
)
from youworker_app.gateways.parsing import pdf_structure
from youworker_app.gateways.parsing.pdf_session import PdfSession, SessionError
from youworker_app.gateways.parsing.pdf_structure import PasswordNeeded, read_metadata, rescued

BROKEN = without_end(pdf_of(["one", "two"]))


def texts_of(data: bytes | None) -> list[str | None]:
    assert data is not None
    session = PdfSession(data)
    assert not session.is_rescued
    return session.texts(1, seconds=10)


def test_a_rescue_makes_the_same_bytes_each_time() -> None:
    with pytest.raises(pdfium.PdfiumError):
        pdfium.PdfDocument(BROKEN)
    assert texts_of(rescued(BROKEN)) == ["one", "two"]
    assert rescued(BROKEN) == rescued(BROKEN)


def test_files_beyond_the_limit_are_not_rescued(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_structure, "LONGEST_RESCUED", len(BROKEN))
    assert rescued(BROKEN)
    assert rescued(BROKEN + b"\n") is None


def test_the_last_of_several_catalogues_holds() -> None:
    old = raw_pdf([CATALOG, ONE_PAGE, PAGE, stream(b"BT /F 12 Tf 20 150 Td (old) Tj ET"), HELVETICA])
    new = (
        b"6 0 obj\n<< /Type /Pages /Kids [7 0 R] /Count 1 >>\nendobj\n"
        b"7 0 obj\n" + PAGE.replace(b"4 0 R", b"8 0 R").replace(b"2 0 R", b"6 0 R") + b"\nendobj\n"
        b"8 0 obj\n" + stream(b"BT /F 12 Tf 20 150 Td (new) Tj ET") + b"\nendobj\n"
        b"9 0 obj\n<< /Type /Catalog /Pages 6 0 R >>\nendobj\n"
    )
    assert texts_of(rescued(without_end(old) + new)) == ["new"]


def test_the_catalogue_that_the_trailer_names_goes_before_any_other() -> None:
    other = [b"<< /Type /Catalog /Pages 7 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"]
    data = one_page_pdf(b"BT /F 12 Tf 20 150 Td (named) Tj ET", more=other)
    assert texts_of(rescued(b"x" * 2_000 + b"\n" + data)) == ["named"]


def test_parts_that_lead_back_to_themselves_are_followed_once() -> None:
    objects = [CATALOG, ONE_PAGE, PAGE, stream(b"BT /F 12 Tf 20 150 Td (round) Tj ET")]
    font = HELVETICA.replace(b">>", b"/Self 5 0 R /Page 3 0 R >>")
    assert texts_of(rescued(without_end(raw_pdf([*objects, font])))) == ["round"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no PDF",
        b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n",
        raw_pdf([CATALOG, b"<< /Type /Pages /Kids [] /Count 0 >>"]),
        raw_pdf([CATALOG, ONE_PAGE, PAGE, stream(b"BT ET")]),  # the font is missing
        raw_pdf([CATALOG, ONE_PAGE, PAGE.replace(b"4 0 R", b"[4 0 R 9 0 R]"), stream(b""), HELVETICA]),
        raw_pdf([CATALOG, ONE_PAGE.replace(b"1 >>", b"2 >>"), PAGE, stream(b"BT ET"), HELVETICA]),
        without_end(with_password(pdf_of(["x"]), user="", owner="x")),
    ],
    # By number: encrypted content is another one in each process.
    ids=map(str, range(8)),
)
def test_what_is_not_all_there_is_not_rescued(data: bytes) -> None:
    assert rescued(data) is None


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.long)])
def test_a_file_cut_off_anywhere_is_made_whole_or_not_at_all(step: int) -> None:
    content, page = stream(b"BT /F 12 Tf 20 150 Td (all of it) Tj ET"), PAGE.replace(b"5 0 R", b"3 0 R")
    content_last = [
        ONE_PAGE.replace(b"3 0 R", b"4 0 R"),
        HELVETICA,
        page.replace(b"4 0 R", b"5 0 R"),
        content,
    ]
    page_last = [ONE_PAGE.replace(b"3 0 R", b"5 0 R"), HELVETICA, content, page]
    for objects in ([CATALOG, *content_last], [CATALOG, *page_last]):
        data = without_end(raw_pdf(objects))
        made = [found for length in range(len(data), 0, -step) if (found := rescued(data[:length]))]
        assert [texts_of(each) for each in made] == [["all of it"]] * len(made)
        assert len(made) > 0


def test_what_a_page_shows_is_a_stream() -> None:
    data = raw_pdf([CATALOG, ONE_PAGE, PAGE, b"<< /Length 9 >>", HELVETICA])
    assert rescued(without_end(data)) is None
    nested = PAGE.replace(b"4 0 R", b"[[4 0 R]]")
    assert rescued(without_end(raw_pdf([CATALOG, ONE_PAGE, nested, b"<< >>", HELVETICA]))) is None


def test_a_part_that_is_nothing_on_purpose_is_not_missing() -> None:
    page = PAGE.replace(b"4 0 R", b"[4 0 R 6 0 R]")
    shown = b"BT /F 12 Tf 20 150 Td (here) Tj ET"
    assert texts_of(rescued(without_end(one_page_pdf(shown, page=page, more=[b"null"])))) == ["here"]


def test_a_damaged_file_behind_a_password_tells_so() -> None:
    data = b"x" * 2_000 + b"\n" + with_password(pdf_of(["x"]), user="secret", owner="x")
    with pytest.raises(PasswordNeeded):
        rescued(data)
    with pytest.raises(SessionError, match="password"):
        PdfSession(data)


def test_a_session_reads_and_describes_the_rescued_file() -> None:
    session = PdfSession(without_end(pdf_of(["x"], title="Lease")))
    assert session.is_rescued
    assert session.texts(1, seconds=1) == ["x"]
    assert session.metadata() == {}  # the name of the dictionary was in the part that is missing


def test_metadata_are_told_as_they_are() -> None:
    assert read_metadata(described_pdf(b"/Title (a  b) /CreationDate (D:20240305101500+01'00')")) == {
        "title": "a  b",
        "creation_date": "2024-03-05T10:15:00+01:00",
    }
    assert len(read_metadata(described_pdf(b"/Title (%b)" % (b"x" * 100_000)))["title"]) == 2_000
    assert read_metadata(described_pdf(b"/CreationDate (yesterday) /Title (Lease)")) == {"title": "Lease"}
    assert read_metadata(b"no PDF") == {}
