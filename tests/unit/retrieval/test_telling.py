import pytest
from hypothesis import given
from hypothesis import strategies as st

from youworker_app.retrieval.telling import split_sentences


def sentences(text: str) -> list[str]:
    return [text[one.start : one.end] for one in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("It costs 3.50 euros. It is blue.", ["It costs 3.50 euros.", "It is blue."]),
        ("Dr. Rossi signed it. Mr. Bianchi did not.", ["Dr. Rossi signed it.", "Mr. Bianchi did not."]),
        ("Il dott. Rossi ha firmato. Vedi l'art. 5 del contratto.", None),
        ("La S.p.A. Verdi paga. Poi chiude.", None),
        (
            "See Fig. 3 and pag. 12 for e.g. Rome. Then stop.",
            ["See Fig. 3 and pag. 12 for e.g. Rome.", "Then stop."],
        ),
        ("The answer is no. The art. 5 says so.", ["The answer is no.", "The art. 5 says so."]),
        ("G. Verdi wrote it. A. B. Smith read it.", ["G. Verdi wrote it.", "A. B. Smith read it."]),
        ("Pane, latte, ecc. Il conto è pagato.", ["Pane, latte, ecc.", "Il conto è pagato."]),
        ("Pane, latte, ecc. e il conto.", ["Pane, latte, ecc. e il conto."]),
        ("He said “Stop.” She went.", ["He said “Stop.”", "She went."]),
        ("Wait... and see. Done.", ["Wait... and see.", "Done."]),
        ("The line wraps\nin the middle. Next one.", ["The line wraps\nin the middle.", "Next one."]),
        ("A heading stands here\n\nThe text follows", ["A heading stands here", "The text follows"]),
        (
            "Bring:\n- bread and butter\n- milk\n2. eggs",
            ["Bring:", "- bread and butter", "- milk", "2. eggs"],
        ),
        (
            "Orari\nLa biblioteca è aperta dalle nove alle diciotto tutti i giorni",
            ["Orari", "La biblioteca è aperta dalle nove alle diciotto tutti i giorni"],
        ),
        ("1. The first rule. 2. The second.", ["1. The first rule.", "2. The second."]),
        ("これは一つ。これは二つ。", ["これは一つ。", "これは二つ。"]),
        ("", []),
        ("  \n ", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str] | None) -> None:
    if expected is None:
        assert len(sentences(text)) == 2
    else:
        assert sentences(text) == expected


def test_what_has_no_full_stop_is_cut_at_semicolons_and_lines() -> None:
    row = "; ".join(f"item number {number} of the table costs {number} euros" for number in range(30))
    assert max(map(len, sentences(row))) < 60


@given(st.text(alphabet=st.sampled_from('aA1. \n\r;:!?-•("”ecc etc è🙂')))
def test_every_letter_is_in_exactly_one_sentence(text: str) -> None:
    found = split_sentences(text)
    borders = [border for one in found for border in (one.start, one.end)]
    assert borders == sorted(borders)
    assert (
        "".join(text[one.start : one.end] for one in found).split() == text.split()
        or not text.split()
        or [letter for one in found for letter in text[one.start : one.end] if not letter.isspace()]
        == [letter for letter in text if not letter.isspace()]
    )
    assert all(text[one.start : one.end] == text[one.start : one.end].strip() != "" for one in found)
