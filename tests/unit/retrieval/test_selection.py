from tests.unit.retrieval.passages import passage
from youworker_app.retrieval.selection import diverse, without_repetitions

LONG = "The supplier delivers the goods within thirty days of the order at its own cost and risk to the buyer"


def test_the_same_text_is_shown_once_whichever_document_it_is_in() -> None:
    first = passage(LONG, document="a")
    again = passage(LONG.upper() + " .", document="b")
    other = passage("Something else", document="b", number=1)
    assert without_repetitions([first, again, other]) == [first, other]


def test_nearly_the_same_text_is_folded_within_a_document_only() -> None:
    first = passage(LONG, document="a")
    near = passage(LONG + " again", document="a", number=1)
    assert without_repetitions([first, near]) == [first]
    elsewhere = passage(LONG + " again", document="b")
    assert without_repetitions([first, elsewhere]) == [first, elsewhere]


def test_other_numbers_are_other_texts() -> None:
    texts = [f"{LONG} for {price} euros" for price in (100, 200)]
    both = [passage(text, document="a", number=n) for n, text in enumerate(texts)]
    assert without_repetitions(both) == both


def test_texts_without_words_are_not_all_the_same_as_one_with() -> None:
    both = [passage("???", number=0), passage("Word", number=1)]
    assert without_repetitions(both) == both


def test_a_document_gives_two_and_then_lets_equals_before_it() -> None:
    first = [passage(f"a {n}", document="a", number=n, score=0.9 - n * 0.001) for n in range(4)]
    other = passage("b", document="b", score=0.89)
    assert diverse([*first, other], 3) == [first[0], first[1], other]
    assert diverse([*first, other], 10)[2:] == [other, first[2], first[3]]


def test_what_is_clearly_better_stays_first() -> None:
    better = [passage(f"a {n}", document="a", number=n, score=0.9) for n in range(6)]
    worse = passage("b", document="b", score=0.5)
    assert diverse([*better, worse], 6) == better
