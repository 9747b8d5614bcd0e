import pytest

from youworker_app.retrieval.language import content_words, question_language


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("What is the notice period?", "en"),
        ("Who signed it?", "en"),
        ("Qual è il preavviso?", "it"),
        ("Chi ha firmato?", "it"),
        ("quanto costa la licenza", "it"),
        ("perche non funziona", "it"),
        ("durata garanzia assicurazione", "it"),
        ("Wie lange ist die Kündigungsfrist für diese Wohnung im Vertrag?", "de"),
        ("ABC-4711", ""),
        ("", ""),
    ],
)
def test_the_language_of_a_short_question(question: str, language: str) -> None:
    assert question_language(question) == language


def test_the_documents_settle_a_doubt_only_where_they_agree() -> None:
    assert question_language("ABC-4711", ["it", ""]) == "it"
    assert question_language("ABC-4711", ["en", "it"]) == ""
    assert question_language("What is it?", ["it"]) == "en"


def test_content_words_carry_the_subject_once_and_as_written() -> None:
    assert content_words("What does the Contract of 2023 say? The contract!") == ["Contract", "2023"]
    assert content_words("Che cosa prevede l'articolo 5 del contratto?") == [
        "prevede",
        "articolo",
        "5",
        "contratto",
    ]
    assert content_words("it is the of and, che cosa è?") == []
