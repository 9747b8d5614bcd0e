"""Decoding, cleaning and cutting texts."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.files import ENGLISH, ITALIAN
from youworker_app.gateways.parsing.media_types import MARKDOWN, PLAIN_TEXT
from youworker_app.gateways.parsing.text_decoding import NotText, clean_text, decode_text
from youworker_app.gateways.parsing.text_documents import LONGEST_UNIT, TextDocument, split_long

RUSSIAN = "Договор аренды заключён на шесть лет. Арендатор платит вперёд, пятого числа каждого месяца. " * 3
GREEK = (
    "Η μίσθωση αρχίζει την πρώτη Μαρτίου και λήγει μετά από έξι χρόνια. Ο μισθωτής πληρώνει προκαταβολικά. "
    * 3
)
WESTERN = "Perché no? L’offerta è di 1.200 € – così com’è, già pagata… Über façade, naïve señor."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("text", [ENGLISH, ITALIAN, RUSSIAN, WESTERN, "日本語のテキスト", "😀"])
def test_unicode_in_each_of_its_forms(encoding: str, text: str) -> None:
    assert decode_text(text.encode(encoding)).lstrip("\ufeff") == text


def test_big_endian_utf_16() -> None:
    assert decode_text(codecs.BOM_UTF16_BE + ITALIAN.encode("utf-16-be")) == ITALIAN


@pytest.mark.parametrize(
    ("text", "encoding"), [(ITALIAN, "cp1252"), (WESTERN, "cp1252"), (RUSSIAN, "cp1251"), (GREEK, "cp1253")]
)
def test_texts_of_the_years_before_unicode(text: str, encoding: str) -> None:
    assert decode_text(text.encode(encoding)) == text


def test_utf_8_with_a_bruise_stays_utf_8() -> None:
    bruised = (ITALIAN * 20).encode() + b"\xff" + "perché".encode()
    assert decode_text(bruised) == ITALIAN * 20 + "\ufffd" + "perché"


@pytest.mark.parametrize(
    "data",
    [
        b"\x00",
        b"a\x00b",
        b"\xff\xfea",
        bytes(range(256)),
        b"\x01\x02\x03\x04",
        "perché no ".encode("cp1252") * 9 + b"\x02",
    ],
)
def test_what_is_no_text(data: bytes) -> None:
    with pytest.raises(NotText):
        decode_text(data)


@given(st.text())
def test_cleaned_text_holds_nothing_that_disturbs(text: str) -> None:
    cleaned = clean_text(text)
    cleaned.encode()
    assert clean_text(cleaned) == cleaned
    assert not set(cleaned) & set("\r\x00\x0b\x0c\x1b\ufeff\ufffe\u2028")


@given(st.text(alphabet="ab \n.", max_size=400), st.integers(1, 50))
def test_pieces_of_a_long_text_are_short_and_complete(text: str, longest: int) -> None:
    pieces = list(split_long(text, longest))
    assert "".join(pieces) == text
    assert all(len(piece) <= longest for piece in pieces)
    assert all(pieces) or not text


def test_a_long_text_is_cut_between_paragraphs() -> None:
    paragraph = "x" * 990 + "." + "\n\n"
    units = TextDocument((paragraph * 500).encode(), PLAIN_TEXT)
    assert units.unit_count == 3
    assert [piece.endswith("\n\n") for piece in split_long(paragraph * 500)] == [True] * 3
    assert len(next(split_long(paragraph * 500))) > LONGEST_UNIT - 2_000


LINES = st.sampled_from(
    [
        "# One",
        "## Two",
        "### ",
        "text",
        "",
        "---",
        "===",
        "```",
        "~~~",
        "- item",
        "    code",
        "#nospace",
        "> q",
        "title: x",
    ]
)


@given(st.lists(LINES, max_size=30).map("\n".join))
async def test_sections_are_complete_and_numbered(text: str) -> None:
    if not text.strip():
        return
    units = [unit async for unit in TextDocument(text.encode(), MARKDOWN).units()]
    assert "".join(unit.text for unit in units) == text
    assert [unit.number for unit in units] == list(range(1, len(units) + 1))
    assert all(unit.label for unit in units)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("# A\nx\n## B\ny\n# C\nz", ["A", "A › B", "C"]),
        ("# A\n## B\nx", ["A › B"]),
        ("# A\nx\n### Deep\ny\n## B\nz", ["A", "A › Deep", "A › B"]),
        ("---\ntitle: x\n---\nbody", ["1"]),
        ("```\n# no\n```\nx", ["1"]),
        ("A\n===\nx\n\nB\n---\ny", ["A", "A › B"]),
        ("- item\n---\nx", ["1"]),
        ("# The `code` of [this](http://x) **book** ##\nx", ["The code of this book"]),
        ("# snake_case and _this_\nx", ["snake_case and this"]),
        ("#\nx", ["1"]),
    ],
)
async def test_paths_of_headings(text: str, labels: list[str]) -> None:
    assert [unit.label async for unit in TextDocument(text.encode(), MARKDOWN).units()] == labels


async def test_reading_goes_on_from_a_unit() -> None:
    document = TextDocument(b"# A\nx\n# B\ny\n# C\nz", MARKDOWN)
    assert [unit.number async for unit in document.units(2)] == [2, 3]
    assert [unit.number async for unit in document.units(-1)] == [1, 2, 3]
