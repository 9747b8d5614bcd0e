import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.retrieval.passages import SPARSE, numbered, passage
from youworker_app.retrieval import terms
from youworker_app.retrieval.candidates import telling_sentence
from youworker_app.retrieval.matching import Match, match_candidates
from youworker_app.retrieval.terms import TermReader, query_terms

READER = TermReader(SPARSE)


def told(query: str, text: str, language: str = "en") -> str | None:
    one = match_candidates(READER, query, [passage(text, language=language)])[0]
    sentence = telling_sentence(one)
    return text[sentence.start : sentence.end] if sentence else None


PLAINLY = re.compile("(?:[^\\W_]|[\u0300-\u036f\u00ad])+")
"""What a word is, as one would write it down."""


@given(st.text("aB7È_ .\n\u0130\u0300\u036f\u0370\u00ad\u00ac\u03a3", max_size=12))
def test_words_are_runs_of_letters_digits_and_what_belongs_to_them(text: str) -> None:
    assert terms._WORD.findall(text) == PLAINLY.findall(text)
    assert len(READER.terms(text, "en")) == len(PLAINLY.findall(text))


def test_no_character_enters_or_leaves_a_word_by_being_made_small() -> None:
    changed = [one for one in map(chr, range(sys.maxunicode + 1)) if one.lower() != one]
    assert len(changed) > 1_000
    for one in changed:
        assert PLAINLY.findall(one) == ([one] if PLAINLY.fullmatch(one.lower()) else []), hex(ord(one))


@pytest.mark.parametrize(
    ("query", "text", "language", "expected"),
    [
        (
            "When is the boiler serviced?",
            "The house has a boiler. The boiler is serviced each March. The lift is red.",
            "en",
            "The boiler is serviced each March.",
        ),
        (
            "Quando si revisionano le caldaie?",
            "La casa ha una caldaia. La caldaia viene revisionata a marzo. L'ascensore è rosso.",
            "it",
            "La caldaia viene revisionata a marzo.",
        ),
        ("boiler", "The boiler is old. The boiler is loud.", "en", "The boiler is old."),
        ("elephant", "The boiler is old. The boiler is loud.", "en", None),
        ("the of and", "The boiler is old.", "en", None),
        ("perche\u0301 la caldaia", "Il tetto è nuovo. La caldaia è rotta.", "it", "La caldaia è rotta."),
    ],
)
def test_the_sentence_that_has_most_of_the_question_tells(
    query: str, text: str, language: str, expected: str | None
) -> None:
    assert told(query, text, language) == expected


def test_a_rare_word_outweighs_common_ones() -> None:
    texts = [f"The contract of the tenant number {word}." for word in ("one", "two", "three", "four")]
    whole = "The contract binds the tenant. The deposit is two rents."
    matches = match_candidates(READER, "tenant contract deposit", numbered([*texts, *texts, whole]))
    sentence = telling_sentence(matches[-1])
    assert sentence is not None
    assert whole[sentence.start : sentence.end] == "The deposit is two rents."


def both(query: str, *texts: str) -> list[Match]:
    return match_candidates(READER, query, numbered(texts))


def test_words_close_together_count_as_pairs_and_far_apart_do_not() -> None:
    near, far = both(
        "boiler service",
        "The boiler service is in March.",
        "The boiler is old and stands in a damp dark corner beside many grey pipes. Ask for service.",
    )
    assert (near.pairs, far.pairs) == (1.0, 0.0)
    assert near.sentence == 1.0 > far.sentence
    assert near.coverage == far.coverage == 1.0


def test_what_no_candidate_has_lowers_the_coverage() -> None:
    [one] = both("boiler elephant", "The boiler is old.")
    assert 0.2 < one.coverage < 0.5


def test_the_subject_is_not_worthless_where_all_candidates_speak_of_it() -> None:
    matches = both("boiler elephant", "The boiler is old.", "The boiler is loud.", "A boiler hums.")
    assert all(one.coverage > 0.15 for one in matches)


def test_each_passage_is_read_in_its_own_language() -> None:
    english, italian = match_candidates(
        READER,
        "contracts contratti",
        [passage("One contract.", language="en"), passage("Un contratto.", document="b", language="it")],
    )
    assert english.coverage > 0
    assert italian.coverage > 0


def test_nothing_is_matched_without_words_or_candidates() -> None:
    assert match_candidates(READER, "boiler", []) == []
    assert both("?? !!", "The boiler is old.")[0].coverage == 0.0


def test_words_that_were_forgotten_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "The boilers were serviced. The boiler is loud, the boilers are old."
    whole = TermReader(SPARSE).terms(text, "en")
    monkeypatch.setattr(terms, "_CACHED_WORDS", 2)
    assert TermReader(SPARSE).terms(text, "en") == whole
    assert whole[1] == whole[5] == whole[9] is not None


def test_a_question_weighs_its_own_language_more_than_the_documents_others() -> None:
    own = SPARSE.encode_query("contratti", ["it"]).indices
    both_languages = query_terms(SPARSE, "contratti", "it", ["en", "it"])
    weights = dict(zip(both_languages.indices, both_languages.values, strict=True))
    assert {term for term, weight in weights.items() if weight == 1.0} == set(own)
    assert set(weights.values()) == {0.3, 1.0}
    assert set(query_terms(SPARSE, "contratti", "", ["en", "it"]).values) == {1.0}
    assert query_terms(SPARSE, "contratti", "", []).indices
