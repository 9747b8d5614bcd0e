import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.retrieval.passages import numbered, passage
from youworker_app.agent.markdown import plain
from youworker_app.agent.passages import passages_answer, stream
from youworker_app.agent.schemas import Question
from youworker_app.agent.texts import Reason
from youworker_app.documents.schemas import Locator, Passage

SNIPPETS = st.lists(
    st.sampled_from(
        ["The boiler. ", "[7] ", "\n", "**bold** ", "> quote", "[n](http://x)", "1. one", "<b>", "è 🙂 "]
    ),
    min_size=1,
    max_size=12,
).map("".join)


def answer(
    passages: list[Passage],
    *,
    language: str = "en",
    reason: Reason = "away",
    question: Question | None = None,
) -> str:
    return passages_answer(
        question or Question("boiler?"), passages, query="boiler?", language=language, reason=reason
    )


def quotes(text: str) -> list[str]:
    """The quotations, each as its reader sees it."""
    return [
        plain(block)
        for block in re.split(r"\n\n(?!>)", text)
        for block in [block.partition("\n\n")[2]]
        if block
    ]


@given(st.lists(SNIPPETS, min_size=1, max_size=5), st.integers(0, 30), st.integers(0, 30))
def test_every_number_is_in_the_evidence_and_every_quotation_in_its_passage(
    texts: list[str], start: int, end: int
) -> None:
    passages = [
        Passage(**{**vars(one), "mark_start": min(start, end), "mark_end": max(start, end)})
        for one in numbered(texts)
    ]
    said = answer(passages)
    assert [int(number) for number in re.findall(r"(?<!\\)\[(\d+)\]", said)] == list(
        range(1, len(passages) + 1)
    )
    for one, quotation in zip(passages, quotes(said), strict=True):
        at = 0
        for line in filter(None, quotation.split("\n")):
            at = one.text.index(line, at) + len(line)
        assert "".join(quotation.split()) == "".join(one.text.split())


def test_the_whole_answer() -> None:
    one = Passage(
        **{**vars(passage("It is old. It hums.")), "mark_start": 0, "mark_end": 10, "filename": "a_b.pdf"}
    )
    assert answer([one, passage("Two", number=1)]) == (
        "*No language model is connected: start Ollama, or set `YOUWORKER_LLM_OLLAMA_URL`. "
        "Until then the answer is what your documents say.*\n\n"
        "[1] a\\_b.pdf, page 1\n\n> **It is old.** It hums.\n\n"
        "[2] doc.txt, page 2\n\n> Two"
    )


def test_italian() -> None:
    said = answer([passage("Uno")], language="it")
    assert said.startswith("*Nessun modello linguistico è collegato")
    assert "[1] doc.txt, pagina 1" in said


def test_a_section_stands_under_its_own_name_which_is_no_markup() -> None:
    one = Passage(**{**vars(passage("Text")), "locator": Locator("section", "Rules > [4] *Pets*")})
    assert "[1] doc.txt, Rules \\> \\[4\\] \\*Pets\\*\n" in answer([one])


@pytest.mark.parametrize(
    ("question", "language", "expected"),
    [
        (Question("x"), "en", "all documents that you can ask for: boiler?"),
        (Question("x", group_ids=("g",)), "en", "the chosen groups for"),
        (Question("x", group_ids=("g",), document_ids=("d",)), "it", "nei documenti scelti: boiler?"),
        (Question("x", use_documents=False), "en", "Documents were not searched"),
    ],
)
def test_when_nothing_was_found_it_says_where_it_searched(
    question: Question, language: str, expected: str
) -> None:
    said = answer([], question=question, language=language)
    assert expected in said
    assert "[1]" not in said


def test_what_was_searched_for_is_shown_short_and_plain() -> None:
    said = passages_answer(Question("x"), [], query="*[1] " + "x" * 1_000, language="en", reason="chosen")
    assert "\\*\\[1\\] xxx" in said
    assert len(said) < 400


async def test_it_comes_in_pieces_that_make_the_whole() -> None:
    said = answer([passage("It is old. " * 50)])
    pieces = [token.text async for token in stream(said)]
    assert "".join(pieces) == said
    assert len(pieces) > 5
