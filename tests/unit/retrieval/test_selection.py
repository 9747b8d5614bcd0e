from collections.abc import Iterator

from tests.unit.retrieval.passages import passage
from youworker_app.documents.schemas import Passage
from youworker_app.retrieval.selection import diverse, without_repetitions

LONG = "The supplier delivers the goods within thirty days of the order at its own cost and risk to the buyer"


def test_the_same_text_is_shown_once_whichever_document_it_is_in() -> None:
    first = passage(LONG, document="a")
    again = passage(LONG.upper() + " .", document="b")
    other = passage("Something else", document="b", number=1)
    assert list(without_repetitions([first, again, other])) == [first, other]


def test_nearly_the_same_text_is_folded_within_a_document_only() -> None:
    first = passage(LONG, document="a")
    near = passage(LONG + " again", document="a", number=1)
    assert list(without_repetitions([first, near])) == [first]
    elsewhere = passage(LONG + " again", document="b")
    assert list(without_repetitions([first, elsewhere])) == [first, elsewhere]


def test_other_numbers_are_other_texts() -> None:
    texts = [f"{LONG} for {price} euros" for price in (100, 200)]
    both = [passage(text, document="a", number=n) for n, text in enumerate(texts)]
    assert list(without_repetitions(both)) == both


def test_texts_without_words_are_not_all_the_same_as_one_with() -> None:
    both = [passage("???", number=0), passage("Word", number=1)]
    assert list(without_repetitions(both)) == both


def test_a_document_gives_two_and_then_lets_equals_before_it() -> None:
    first = [passage(f"a {n}", document="a", number=n, score=0.9 - n * 0.001) for n in range(4)]
    other = passage("b", document="b", score=0.89)
    assert diverse([*first, other], 3) == [first[0], first[1], other]
    assert diverse([*first, other], 10)[2:] == [other, first[2], first[3]]


def test_what_is_clearly_better_stays_first() -> None:
    better = [passage(f"a {n}", document="a", number=n, score=0.9) for n in range(6)]
    worse = passage("b", document="b", score=0.5)
    assert diverse([*better, worse], 6) == better


def test_what_cannot_be_chosen_any_more_is_not_read() -> None:
    read: list[Passage] = []

    def ranked() -> Iterator[Passage]:
        for number in range(10):
            one = passage(f"{number}", document=f"{number}", score=0.9 - number / 100)
            read.append(one)
            yield one

    assert diverse(ranked(), 3) == read[:3]
    assert len(read) == 4


def test_a_document_that_repeats_itself_lets_what_follows_be_read() -> None:
    same = [passage(f"a {n}", document="a", number=n, score=0.9) for n in range(8)]
    others = [passage(f"{n}", document=f"other {n}", score=0.9 - n / 100) for n in range(1, 6)]
    chosen = diverse(iter([*same, *others]), 6)
    assert chosen == [*same[:3], others[0], same[3], others[1]]
