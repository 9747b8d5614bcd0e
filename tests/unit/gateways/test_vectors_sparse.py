"""Words to keyed terms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qdrant_edge import Bm25, Bm25Config

from youworker_app.gateways.vectors.sparse import LANGUAGES, SparseEncoder

KEY, OTHER_KEY = b"0123456789abcdef", b"fedcba9876543210"
ENCODER = SparseEncoder(KEY)
UINT32 = st.integers(0, 2**32 - 1)
TEXT = " ".join(f"word{number} term{number * 7} thing" for number in range(2000))


def inverse(encoder: SparseEncoder, keyed: int) -> int:
    """Runs the rounds backwards; that this gives back every number shows a bijection."""
    left, right = keyed >> 16, keyed & 0xFFFF
    for number in reversed(range(10)):
        left, right = right ^ encoder._round(number, left), left
    return left << 16 | right


@given(UINT32)
def test_permutation_is_a_bijection_on_32_bits(term: int) -> None:
    keyed = ENCODER.permute(term)
    assert 0 <= keyed < 2**32
    assert inverse(ENCODER, keyed) == term


@given(st.sets(UINT32, min_size=2, max_size=50))
def test_no_two_terms_become_one(terms: set[int]) -> None:
    assert len({ENCODER.permute(term) for term in terms}) == len(terms)


def test_nearby_terms_part_and_halves_are_mixed() -> None:
    keyed = [ENCODER.permute(term) for term in range(4096)]
    for shift in (0, 8, 16, 24):
        assert len({number >> shift & 0xFF for number in keyed}) == 256


def test_terms_are_those_of_the_key_alone() -> None:
    unkeyed = set(Bm25(Bm25Config(language="english", ascii_folding=True)).embed_document(TEXT).indices)
    mine = ENCODER.encode_document(TEXT, "en").indices
    others = SparseEncoder(OTHER_KEY).encode_document(TEXT, "en").indices
    assert len(unkeyed) == len(mine) == len(others) > 3000
    assert not unkeyed & set(mine)
    assert not set(mine) & set(others)
    assert SparseEncoder(KEY).encode_document(TEXT, "en").indices == mine


def test_weights_stay_with_their_terms() -> None:
    """Twice the word weighs more; the same weights come out under every key."""
    mine = ENCODER.encode_document("gatto gatto gatto cane", "it")
    cat = ENCODER.encode_query("gatto", ["it"]).indices[0]
    weights = dict(zip(mine.indices, mine.values, strict=True))
    assert len(weights) == 2
    assert weights.pop(cat) > next(iter(weights.values()))
    assert list(mine.indices) == sorted(mine.indices)


def meet(question: str, text: str, language: str, asked: tuple[str, ...] = ("en", "it")) -> bool:
    document = ENCODER.encode_document(text, language)
    return not set(ENCODER.encode_query(question, asked).indices).isdisjoint(document.indices)


@pytest.mark.parametrize(
    ("question", "text", "language"),
    [
        ("Quali contratti?", "Il contratto di locazione", "it"),
        ("Which contracts?", "The contract of lease", "en"),
        ("universita", "dell’Università", "it"),
        ("perche", "perché", "it"),
        ("Müller", "Signor Muller", "it"),
        ("office", "oﬃce", "en"),
        ("caffè", "caffe\u0300", "it"),
        ("Verwaltung", "Ver\u00adwaltung", "de"),
        ("nota", "𝐍𝐨𝐭𝐚", "it"),
        ("ISO 9001", "certificato ISO-9001", "it"),
        ("AB-1234", "fattura ab 1234", "it"),
        ("9001", "norm 9001", "xx"),
    ],
)
def test_question_meets_document(question: str, text: str, language: str) -> None:
    assert meet(question, text, language, ("en", "it", "de"))


def test_a_query_for_both_languages_meets_stems_that_differ() -> None:
    assert not meet("running", "he was running", "en", ("it",))
    assert not meet("contratti", "i contratti", "it", ("en",))
    assert meet("running", "he was running", "en")
    assert meet("contratti", "i contratti", "it")


def test_query_is_the_union_and_each_term_weighs_one() -> None:
    both = ENCODER.encode_query("contratti running 2024", ["en", "it"])
    apart = [ENCODER.encode_query("contratti running 2024", [code]) for code in ("en", "it")]
    assert set(both.indices) == set(apart[0].indices) | set(apart[1].indices)
    assert set(both.values) == {1.0}
    assert len(both.indices) < sum(len(one.indices) for one in apart)


def test_stop_words_are_dropped_in_their_language() -> None:
    assert ENCODER.encode_document("the of and", "en").indices == ()
    assert ENCODER.encode_document("il di che", "it").indices == ()
    assert ENCODER.encode_document("", "it").indices == ()
    assert ENCODER.encode_query("the", ["en"]).indices == ()
    assert ENCODER.encode_query("word", []).indices == ()


def test_half_a_surrogate_pair_does_no_harm() -> None:
    assert meet("word", "word \ud83d", "en")


@pytest.mark.parametrize("code", [*LANGUAGES, "", "xx", "und"])
def test_every_language_encodes(code: str) -> None:
    assert (
        ENCODER.encode_document("zzyzx 42", code).indices == ENCODER.encode_query("zzyzx 42", [code]).indices
    )


@pytest.mark.parametrize("key", [b"", b"short", b"x" * 65])
def test_key_of_a_wrong_length(key: bytes) -> None:
    with pytest.raises(ValueError, match="16 to 64"):
        SparseEncoder(key)
