"""The built-in answerer: no model, only what the documents say, quoted exactly and in order. Never invented text.

Deterministic: the same evidence gives the same answer.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from youworker_app.agent.markdown import literal, quoted
from youworker_app.agent.schemas import Question, Token
from youworker_app.agent.texts import Reason, place, texts
from youworker_app.documents.schemas import Passage

PASSAGES = "passages"
"""The name under which this answerer can be chosen, and by which an answer of its is known."""

_PIECE_CHARS = 48
_MOST_QUERY_CHARS = 200


def passages_answer(
    question: Question, passages: Sequence[Passage], *, query: str, language: str, reason: Reason
) -> str:
    """The whole answer as markdown: why there are passages, then each under its `[n]` with file and place."""
    said = texts(language)
    parts = [said.notices[reason]]
    if not question.use_documents:
        parts.append(said.not_searched)
    elif not passages:
        parts.append(_nothing(question, query, language))
    parts += [_cited(number, passage, language) for number, passage in enumerate(passages, start=1)]
    return "\n\n".join(part for part in parts if part)


async def stream(answer: str) -> AsyncGenerator[Token, None]:
    """The answer in pieces, letting others run in between."""
    for start in range(0, len(answer), _PIECE_CHARS):
        yield Token(answer[start : start + _PIECE_CHARS])
        await asyncio.sleep(0)


def _cited(number: int, passage: Passage, language: str) -> str:
    where = ", ".join(literal(part) for part in (passage.filename, place(passage.locator, language)) if part)
    return f"[{number}] {where}\n\n{quoted(passage.text, _mark(passage))}"


def _mark(passage: Passage) -> tuple[int, int] | None:
    if passage.mark_start is None or passage.mark_end is None:
        return None
    return passage.mark_start, passage.mark_end


def _nothing(question: Question, query: str, language: str) -> str:
    said = texts(language)
    where = said.everywhere
    if question.document_ids is not None:
        where = said.in_documents
    elif question.group_ids is not None:
        where = said.in_groups
    words = query if len(query) <= _MOST_QUERY_CHARS else query[:_MOST_QUERY_CHARS] + "…"
    return said.nothing.format(where=where, query=literal(words))
