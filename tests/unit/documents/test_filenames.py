"""Names of uploaded files."""

import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from youworker_app.documents.filenames import content_disposition, safe_filename

NASTY = st.sampled_from(
    [*list("/\\.\x00\n\r\t\"%;'<>:|?* "), "..", "../", "\u202e", "\u200f", "�", "é", "é", "😀", "CON"]
)
NAMES = st.lists(NASTY | st.text(max_size=5) | st.characters(), max_size=120).map("".join)


@pytest.mark.parametrize(
    ("raw", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("Relazione è pronta.pdf", "Relazione è pronta.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\report.pdf", "report.pdf"),
        ("a/../../b.txt", "b.txt"),
        ("folder/", "folder"),
        ("inv\x00oice.pdf", "invoice.pdf"),
        ("line\r\nbreak.txt", "line break.txt"),
        ("exe\u202efdp.txt", "exefdp.txt"),
        ("e\u0301.txt", "é.txt"),
        ("\ud800.txt", "txt"),
        (".htaccess", "htaccess"),
        ("...", "document"),
        ("", "document"),
        (None, "document"),
        (" . ", "document"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("com1.tar.gz", "_com1.tar.gz"),
        ("console.txt", "console.txt"),
        ('a<b>:"c|d?*.txt', "a_b___c_d__.txt"),
        ("trailing. ", "trailing"),
    ],
)
def test_examples(raw: str | None, safe: str) -> None:
    assert safe_filename(raw) == safe


def test_a_long_name_keeps_its_extension() -> None:
    assert safe_filename("x" * 300 + ".pdf") == "x" * 251 + ".pdf"
    name = safe_filename("è" * 300 + ".markdown")
    assert name.endswith("è.markdown")
    assert 250 < len(name.encode()) <= 255
    assert len(safe_filename("a." + "b" * 300).encode()) == 255


@given(NAMES)
def test_whatever_comes_the_name_is_safe(raw: str) -> None:
    name = safe_filename(raw)
    assert name
    assert name not in {".", ".."}
    assert len(name.encode()) <= 255
    assert not set(name) & set('/\\\x00<>:"|?*')
    assert not any(unicodedata.category(character) in {"Cc", "Cf", "Cs"} for character in name)
    assert unicodedata.is_normalized("NFC", name)
    assert not name.startswith((".", " "))
    assert not name.endswith((".", " "))
    assert safe_filename(name) == name


@given(NAMES)
def test_the_header_is_one_line_of_ascii_that_gives_the_name_back(raw: str) -> None:
    value = content_disposition(raw)
    assert value.isascii()
    assert value.isprintable()
    assert value.startswith('attachment; filename="')
    plain = value.split('"')[1]
    assert value.count('"') == 2
    assert "\\" not in plain
    whole = unquote(value.partition("filename*=UTF-8''")[2]) or plain
    assert whole == safe_filename(raw)


def test_the_header_in_full() -> None:
    assert content_disposition("report.pdf") == 'attachment; filename="report.pdf"'
    assert content_disposition("perché.pdf", is_inline=True) == (
        "inline; filename=\"perche.pdf\"; filename*=UTF-8''perch%C3%A9.pdf"
    )
