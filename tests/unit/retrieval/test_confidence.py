import pytest

from youworker_app.retrieval.confidence import anything_may_serve, good_enough, lowest, worth


def value(cosine: float | None, coverage: float, question: str = "en", text: str = "en") -> float:
    return worth(cosine=cosine, coverage=coverage, question_language=question, passage_language=text)


@pytest.mark.parametrize(
    ("cosine", "coverage", "question", "text", "is_good"),
    [
        (0.45, 0.0, "en", "en", True),
        (0.30, 0.0, "en", "en", False),
        (0.20, 0.4, "en", "en", True),
        (0.50, 0.1, "it", "it", False),
        (0.50, 0.2, "it", "it", True),
        (0.33, 0.0, "en", "it", True),
        (0.20, 0.0, "it", "en", False),
        (None, 0.35, "en", "en", True),
        (None, 0.1, "it", "it", False),
        (0.45, 0.0, "", "en", True),
        (0.45, 0.0, "", "", False),
    ],
)
def test_what_can_carry_an_answer(
    cosine: float | None, coverage: float, question: str, text: str, is_good: bool
) -> None:
    assert (value(cosine, coverage, question, text) >= 1) is is_good


def test_nothing_stands_unless_one_can_carry_and_then_those_that_nearly_could() -> None:
    assert good_enough([0.99, 0.8]) == [False, False]
    assert good_enough([0.8, 1.0, 0.5]) == [True, True, False]
    assert good_enough([]) == []


def test_a_passage_that_the_vectors_did_not_find_is_as_far_as_the_farthest() -> None:
    assert lowest([0.5, 0.2]) == 0.2
    assert lowest([]) is None


@pytest.mark.parametrize(
    "query", ["Summarise the document", "Di che cosa parla il documento?", "riassunto del testo"]
)
def test_a_question_about_the_document_itself(query: str) -> None:
    assert anything_may_serve(query)


@pytest.mark.parametrize("query", ["Summarise the contract", "", "??", "Di che cosa parla Dante?"])
def test_a_question_about_something(query: str) -> None:
    assert not anything_may_serve(query)


def test_a_pasted_text_is_no_question() -> None:
    assert anything_may_serve(" ".join(f"word{n}" for n in range(26)))
    assert not anything_may_serve(" ".join(f"word{n}" for n in range(25)))
