"""The child's side of reading a PDF, without a child: pdfium is used by this one thread alone."""

import io
import json

import pytest
from PIL import Image, ImageChops

from tests.files import MIB, form_pdf, mapped_pdf, one_page_pdf, pdf_of, with_password, zero_page_pdf
from youworker_app.gateways.parsing.pdf_child import serve
from youworker_app.gateways.parsing.pdf_frames import FRAME
from youworker_app.gateways.parsing.pdf_session import PdfSession, SessionError, joined_lines

PIXELS = 2_000_000


def test_pages_are_read_in_batches_of_limited_time() -> None:
    session = PdfSession(pdf_of([f"page {number}" for number in range(1, 10)], title="Nine pages"))
    assert (session.page_count, session.title()) == (9, "Nine pages")
    assert session.texts(3, seconds=0) == ["page 3"]
    assert session.texts(8, seconds=60) == ["page 8", "page 9"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"%PDF-1.7 nothing", "damaged"),
        (zero_page_pdf(), "no_pages"),
        (with_password(pdf_of(["x"]), user="x", owner="y"), "password"),
    ],
    ids=["damaged", "no pages", "password"],
)
def test_a_file_that_cannot_be_opened_tells_why(data: bytes, code: str) -> None:
    with pytest.raises(SessionError, match=code):
        PdfSession(data)


def test_pictures_and_marks() -> None:
    session = PdfSession(form_pdf("Anna"))
    assert session.texts(1, seconds=1) == ["Name:\nAnna"]
    plain = session.picture(1, [], width=400, most_pixels=PIXELS)
    assert Image.open(io.BytesIO(plain)).width == 400
    assert session.picture(1, [(0, 4)], width=400, most_pixels=PIXELS) != plain
    with pytest.raises(SessionError, match="no_page"):
        session.picture(2, [], width=400, most_pixels=PIXELS)


def test_a_character_that_pdfium_leaves_out_shifts_nothing() -> None:
    session = PdfSession(mapped_pdf(b"MMMAMB", {"A": "a", "B": "b", "M": "\x02"}))
    assert session.texts(1, seconds=1) == ["ab"]
    plain, marked = (
        Image.open(io.BytesIO(session.picture(1, marks, width=300, most_pixels=PIXELS)))
        for marks in ([], [(0, 1)])
    )
    left, _, right, _ = ImageChops.difference(plain, marked).getbbox() or (0, 0, 0, 0)
    # The page is 300 points wide, the text starts at 20, three M of 16.7 points stand before the A of 13.3.
    assert left == pytest.approx(20 + 3 * 16.7, abs=4)
    assert right == pytest.approx(20 + 3 * 16.7 + 13.3, abs=4)


def test_a_hyphen_at_the_end_of_a_line_goes() -> None:
    session = PdfSession(one_page_pdf(b"BT /F 12 Tf 20 150 Td (exam-) Tj 0 -20 Td (ples) Tj ET"))
    assert session.texts(1, seconds=1) == ["examples"]


def test_boxes_of_one_line_become_one_and_others_stay() -> None:
    line = [(0, 0, 50, 10), (52, 1, 80, 9), (75, 4, 90, 5)]
    assert joined_lines(line) == [(0, 0, 90, 10)]
    assert joined_lines([(0, 0, 50, 10), (0, 12, 50, 22)]) == [(0, 0, 50, 10), (0, 12, 50, 22)]
    assert joined_lines([(0, 0, 50, 10), (200, 0, 250, 10)]) == [(0, 0, 50, 10), (200, 0, 250, 10)]
    assert joined_lines([]) == []


def question(request: dict[str, object], data: bytes = b"") -> bytes:
    text = json.dumps(request).encode()
    return FRAME.pack(len(text), len(data)) + text + data


def answers(raw: bytes) -> list[tuple[dict[str, object], bytes]]:
    found = []
    while raw:
        text_length, data_length = FRAME.unpack(raw[: FRAME.size])
        text = raw[FRAME.size : FRAME.size + text_length]
        found.append((json.loads(text), raw[FRAME.size + text_length :][:data_length]))
        raw = raw[FRAME.size + text_length + data_length :]
    return found


def test_questions_on_the_pipe_are_answered_in_order() -> None:
    show = {"do": "picture", "number": 1, "marks": [[0, 2]], "width": 100, "pixels": MIB}
    source = io.BytesIO(
        question({"do": "texts", "first": 1})
        + question({"do": "open"}, b"no PDF")
        + question({"do": "open"}, pdf_of(["hello"]))
        + question({"do": "texts", "first": 1})
        + question(show)
        + question({**show, "number": 5})
    )
    sink = io.BytesIO()
    serve(source, sink)
    replies = answers(sink.getvalue())
    assert [reply for reply, _ in replies] == [
        {"error": "damaged"},
        {"error": "damaged"},
        {"pages": 1, "title": None, "outline": [], "rescued": False},
        {"texts": ["hello"]},
        {},
        {"error": "no_page"},
    ]
    assert replies[4][1].startswith(b"\x89PNG")
