"""Passages: exact offsets, sentences kept whole where they fit, nothing lost but blanks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.files import ENGLISH, ITALIAN, wrapped
from youworker_app.gateways.parsing.protocol import TextUnit, UnitKind
from youworker_app.ingestion.chunking import TARGET_CHARS, chunk_unit, embedding_text

ALPHABET = st.sampled_from(
    [*list("ab.A1\n\n \t-•"), "😀", "𝔸", "é", "é", "漢", "👩\u200d👩\u200d👧", "\u200d", "\xa0", "\u2028"]
)
TEXTS = st.lists(ALPHABET | st.text(max_size=8), max_size=300).map("".join)
KINDS = st.sampled_from(["page", "section", "part"])


def unit_of(text: str, kind: UnitKind = "page", label: str = "7") -> TextUnit:
    return TextUnit(7, text, kind, label)


@given(TEXTS, KINDS, st.integers(20, 200))
def test_passages_are_exact_slices_in_order_that_lose_only_blanks(
    text: str, kind: UnitKind, target: int
) -> None:
    chunks = chunk_unit(unit_of(text, kind), first_ordinal=5, target_chars=target)
    done = 0
    for index, chunk in enumerate(chunks):
        assert chunk.ordinal == 5 + index
        assert chunk.text == text[chunk.start : chunk.end]
        assert chunk.text.strip()
        assert len(chunk.text) <= target + 100  # a heading that was moved
        assert not text[done : chunk.start].strip()
        done = chunk.end
    assert not text[done:].strip()


@pytest.mark.parametrize("text", ["", " ", "\n\n \t", "\xa0\n"])
def test_blanks_make_no_passage(text: str) -> None:
    assert chunk_unit(unit_of(text), first_ordinal=0) == []


def test_sentences_of_a_page_are_kept_whole_across_its_lines() -> None:
    sentence = "The tenant who leaves the building returns every key that was handed out at the beginning of the lease."
    page = wrapped(" ".join([sentence] * 30))
    chunks = chunk_unit(unit_of(page), first_ordinal=0)
    assert len(chunks) > 3
    for chunk in chunks:
        assert chunk.text.startswith("The tenant")
        assert chunk.text.endswith("lease.")
    assert all(len(chunk.text) > TARGET_CHARS / 2 for chunk in chunks[:-1])


def test_a_text_wrapped_by_hand_is_cut_between_sentences_and_a_table_between_rows() -> None:
    sentence = "The tenant who leaves the building returns every key that was handed out at the beginning of the lease."
    letter = unit_of(wrapped(" ".join([sentence] * 30), 72), "part", "1")
    assert {chunk.text[-6:] for chunk in chunk_unit(letter, first_ordinal=0)} == {"lease."}
    row = "118;2026-03-03;Bianchi e figli;warehouse and office;1.240,00;euro;paid in full"
    table = unit_of("\n".join([row] * 100), "part", "1")
    assert all(
        chunk.text.startswith("118;") and chunk.text.endswith("full")
        for chunk in chunk_unit(table, first_ordinal=0)
    )


def test_paragraphs_of_a_page_are_kept_whole() -> None:
    paragraphs = [wrapped(f"Article {number}. {ENGLISH} {ITALIAN}") for number in range(6)]
    chunks = chunk_unit(unit_of("\n".join(paragraphs)), first_ordinal=0)
    assert [chunk.text.startswith("Article") for chunk in chunks] == [True] * 6


def test_a_list_is_cut_between_its_items() -> None:
    line = "words that fill the whole of a line without an end of any sentence "
    items = [f"• Item {number} {line}\n{line * 2}" for number in range(8)]
    for chunk in chunk_unit(unit_of("\n".join(items)), first_ordinal=0):
        assert chunk.text.startswith("• Item")


def test_a_sentence_longer_than_a_passage_is_cut_between_words() -> None:
    chunks = chunk_unit(unit_of("word " * 1_000), first_ordinal=0)
    assert {part for chunk in chunks for part in chunk.text.split()} == {"word"}


def test_scripts_without_spaces_make_shorter_passages() -> None:
    chunks = chunk_unit(unit_of("漢字の文章です。" * 200), first_ordinal=0)
    assert max(len(chunk.text) for chunk in chunks) <= 220


def test_a_passage_knows_where_it_stands() -> None:
    [page] = chunk_unit(unit_of("On a page."), first_ordinal=3, section="Part one")
    assert (page.page, page.unit_number, page.section, page.kind, page.label) == (
        7,
        7,
        "Part one",
        "page",
        "7",
    )
    [section] = chunk_unit(unit_of("In a section.", "section", "Guide › Install"), first_ordinal=0)
    assert (section.page, section.section) == (None, "Guide › Install")
    [part] = chunk_unit(unit_of("In a part.", "part", "1"), first_ordinal=0)
    assert (part.page, part.section) == (None, None)


def test_a_heading_goes_with_what_it_heads() -> None:
    page = "\n".join(
        f"{number}.1 Duties of party {number}\n{wrapped(ENGLISH + ' ' + ITALIAN)}" for number in range(1, 7)
    )
    chunks = chunk_unit(unit_of(page), first_ordinal=0, target_chars=520)
    assert [chunk.text.split("\n")[0] for chunk in chunks] == [
        f"{n}.1 Duties of party {n}" for n in range(1, 7)
    ]
    assert "".join("".join(chunk.text.split()) for chunk in chunks) == "".join(page.split())


def test_a_passage_of_a_page_knows_the_section_that_it_begins_in() -> None:
    text = wrapped(f"{ENGLISH} {ITALIAN}")
    unit = TextUnit(2, f"{text}\n{text}", "page", "2", ((0, "Before"), (len(text) + 1, "Here")))
    chunks = chunk_unit(unit, first_ordinal=0, target_chars=len(text) + 5, section="unused")
    assert [chunk.section for chunk in chunks] == ["Before", "Here"]


def test_title_and_section_stand_before_the_text() -> None:
    assert embedding_text("Lease", "Rent", "It is due.") == "Lease\nRent\nIt is due."
    assert embedding_text(None, None, "It is due.") == "It is due."
    assert embedding_text("Lease", "", "It is due.") == "Lease\nIt is due."
