import asyncio

import pytest

from youworker_app.ingestion.language import _identifier
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
async def test_the_language_of_a_short_question(question: str, language: str) -> None:
    assert await question_language(question) == language


async def test_the_documents_settle_a_doubt_only_where_they_agree() -> None:
    assert await question_language("ABC-4711", ["it", ""]) == "it"
    assert await question_language("ABC-4711", ["en", "it"]) == ""
    assert await question_language("What is it?", ["it"]) == "en"


async def test_the_first_guess_is_made_ready_beside_the_loop() -> None:
    """Reading its tables takes 0.3 s: nobody's answer stands still for it."""
    _identifier.cache_clear()
    turns = 0

    async def others() -> None:
        nonlocal turns
        while not _identifier.cache_info().currsize:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    assert await question_language("Wie lange ist die Kündigungsfrist für diese Wohnung?") == "de"
    await beside
    assert turns > 3


def test_content_words_carry_the_subject_once_and_as_written() -> None:
    assert content_words("What does the Contract of 2023 say? The contract!") == ["Contract", "2023"]
    assert content_words("Che cosa prevede l'articolo 5 del contratto?") == [
        "prevede",
        "articolo",
        "5",
        "contratto",
    ]
    assert content_words("it is the of and, che cosa è?") == []
