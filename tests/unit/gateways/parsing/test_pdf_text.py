"""Cleaning a page's text, and finding back where a cleaned character stood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from youworker_app.gateways.parsing.pdf_text import (
    clean_page,
    mark_range,
    sane_author,
    sane_producer,
    sane_title,
    source_ranges,
)

PIECES = st.sampled_from(
    [
        "a",
        "B",
        " ",
        "  ",
        "\t",
        "\r\n",
        "\n",
        "\r",
        "\ufffe",
        "\xad",
        "\xad\r\n",
        "ﬁ",
        "ﬄ",
        "é",
        "́",
        "\x00",
        "�",
        "�",
        "😀",
        "𝔸",
        "1",
        "-",
        ".",
        "\xa0",
        "\u200b",
        "\u2028",
        "\ufeff",
        "ß",
        "漢",
    ]
)
RAW = st.lists(PIECES, max_size=60).map("".join)


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("distri\ufffebution", "distribution"),
        ("Emilia\ufffeRomagna", "Emilia-Romagna"),
        ("distri\x02bution", "distribution"),
        ("2020\ufffe2021", "2020-2021"),
        ("a\ufffe b", "a b"),
        ("\ufffe", ""),
        ("soft\xad\r\nware", "software"),
        ("one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"),
        ("one \t\xa0 two", "one two"),
        ("one\r\n \r\n\r\n two", "one\n\ntwo"),
        ("end \r\nnext", "end\nnext"),
        ("ﬁne oﬃce", "fine office"),
        ("perche\u0301", "perché"),
        ("a\x00b\ud800c", "abc"),
        ("plain text stays.", "plain text stays."),
        ("", ""),
    ],
)
def test_cleaning(raw: str, cleaned: str) -> None:
    assert clean_page(raw) == cleaned


def units(raw: str) -> bytes:
    return raw.encode("utf-16-le", errors="surrogatepass")


@given(RAW)
def test_every_cleaned_character_has_its_source_in_order(raw: str) -> None:
    raw = units(raw).decode(
        "utf-16-le", errors="surrogatepass"
    )  # as pdfium's text comes: pairs are one character
    cleaned = clean_page(raw)
    ranges = source_ranges(raw)
    assert len(ranges) == len(cleaned)
    assert all(0 <= start < end <= len(units(raw)) // 2 for start, end in ranges)
    assert ranges == sorted(ranges)
    for character, (start, end) in zip(cleaned, ranges, strict=True):
        source = units(raw)[2 * start : 2 * end].decode("utf-16-le", errors="surrogatepass")
        assert source == character or character in clean_page(f"a{source}b") or character == "-"


@given(RAW)
def test_cleaned_text_is_clean(raw: str) -> None:
    cleaned = clean_page(raw)
    cleaned.encode()
    assert "\r" not in cleaned
    assert "\t" not in cleaned
    assert "\ufffe" not in cleaned
    assert "\x00" not in cleaned


@given(RAW, st.integers(-5, 80), st.integers(-5, 80))
def test_a_mark_has_a_range_whatever_it_asks(raw: str, start: int, end: int) -> None:
    raw = units(raw).decode("utf-16-le", errors="surrogatepass")
    first, stop = mark_range(raw, start, end)
    assert 0 <= first <= stop <= len(units(raw)) // 2


def test_a_mark_counts_in_utf_16() -> None:
    raw = "😀 exam\ufffeple ﬁx"
    cleaned = clean_page(raw)
    assert cleaned == "😀 example fix"
    assert mark_range(raw, 2, 9) == (3, 11)
    assert mark_range(raw, cleaned.index("fix"), cleaned.index("fix") + 1) == (12, 13)
    assert mark_range(raw, 9, 9) == (0, 0)


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        ("Piano  ferie\x002026", "Piano ferie2026"),
        ("Microsoft Word - Contratto.docx", "Contratto.docx"),
        ("A/B tests explained", "A/B tests explained"),
        ("Document1", None),
        ("Untitled.pdf", None),
        ("pagina 3", None),
        ("../x/y.tex", None),
        ("ab", None),
        ("/home/maria/Offerta finale.tex", None),
        ("c:/Offerte/Offerta finale", None),
        ("file:///tmp/Offerta finale", None),
        ("Offerta\u202egpj.exe", "Offertagpj.exe"),
    ],
)
def test_titles(raw: str, title: str | None) -> None:
    assert sane_title(raw) == title


@pytest.mark.parametrize(
    ("raw", "author"),
    [
        ("Osamu\r\nAoki", "Osamu Aoki"),
        ("Ufficio acquisti; M. Bè", "Ufficio acquisti; M. Bè"),
        ("Anna " * 100, ("Anna " * 100)[:199]),
        ("李", None),
        ("Administrator", None),
        ("(anonymous)", None),
        ("DESKTOP-PC", None),
        ("ACME\\mrossi", None),
        ("\x00\x01 - ", None),
    ],
)
def test_authors(raw: str, author: str | None) -> None:
    assert sane_author(raw) == author


def test_producers() -> None:
    assert sane_producer("macOS 15/Quartz\n PDFContext") == "macOS 15/Quartz PDFContext"
    assert len(sane_producer("Acrobat " * 100) or "") == 199
    assert [sane_producer(raw) for raw in ("", " \t", "1.7", "unknown")] == [None] * 4
