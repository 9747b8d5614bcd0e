"""What a model is given to read, fitted into what it can read at once.

Pure but for the tag's random part. Passages stand between tags that no text can guess, so that a passage cannot end
itself and speak as someone else.
"""

import math
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from youworker_app.agent.errors import QuestionTooLongForModel
from youworker_app.agent.schemas import Question, Turn
from youworker_app.agent.texts import language_rule, place, texts
from youworker_app.documents.schemas import Passage
from youworker_app.gateways.llm.protocol import ChatMessage, ModelInfo

CHARS_PER_TOKEN = 3
"""An estimate on the safe side: English has about four, Italian between three and four."""

_MESSAGE_TOKENS = 8  # what the model's own frame around a message takes
_UNKNOWN_CONTEXT = 4_096
_LEAST_ANSWER = 64
_CITATION = re.compile(r"\s?\[\d{1,3}\]")


@dataclass(frozen=True)
class Prompt:
    """`max_tokens`: what is left for the answer. `passages`, `turns`: how many of them went in."""

    messages: tuple[ChatMessage, ...]
    max_tokens: int
    passages: int
    turns: int


def build_prompt(
    question: Question, passages: Sequence[Passage], *, language: str, model: ModelInfo, max_tokens: int
) -> Prompt:
    """The prompt for this model.

    System text, question and first passage are never left out. What room there is goes first to the answer (up to a
    quarter of the whole), then to the other passages in order, then to the last turns, newest first, without gaps.

    Raises:
        QuestionTooLongForModel: 422, when not even those three fit.
    """
    room = model.context_length or _UNKNOWN_CONTEXT
    tag = f"passage-{secrets.token_hex(4)}"
    rules = texts(language).rules if question.use_documents else texts(language).rules_without_passages
    system = ChatMessage("system", f"{rules}\n- {language_rule(language)}")
    bare = _asking(question, passages[:1], tag, language)
    left = room - _tokens(system) - _tokens(bare)
    if left < _LEAST_ANSWER:
        excess = (_LEAST_ANSWER - left) * CHARS_PER_TOKEN
        raise QuestionTooLongForModel(model=model.name, max_chars=max(0, len(question.text) - excess))
    answer = max(_LEAST_ANSWER, min(max_tokens, room // 4, left))
    passage_count = _fitting([_block(n, p, tag, language) for n, p in _numbered(passages)][1:], left - answer)
    asking = _asking(question, passages[: 1 + passage_count], tag, language)
    left = room - _tokens(system) - _tokens(asking) - answer
    turns = _last_turns(question.history, left)
    used = sum(_tokens(message) for message in (system, *turns, asking))
    return Prompt(
        (system, *turns, asking),
        min(max_tokens, room - used),
        min(len(passages), 1 + passage_count),
        len(turns),
    )


def estimate_tokens(text: str) -> int:
    """About how many tokens a text has, rather too many than too few."""
    return math.ceil(len(text) / CHARS_PER_TOKEN)


def _tokens(message: ChatMessage) -> int:
    return estimate_tokens(message.content) + _MESSAGE_TOKENS


def _numbered(passages: Sequence[Passage]) -> list[tuple[int, Passage]]:
    return list(enumerate(passages, start=1))


def _asking(question: Question, passages: Sequence[Passage], tag: str, language: str) -> ChatMessage:
    said = texts(language)
    if not question.use_documents:
        return ChatMessage("user", question.text)
    blocks = [_block(number, passage, tag, language) for number, passage in _numbered(passages)]
    return ChatMessage(
        "user", "\n\n".join([*(blocks or [said.no_passages]), f"{said.question} {question.text}"])
    )


def _block(number: int, passage: Passage, tag: str, language: str) -> str:
    where = f"{passage.filename}, {place(passage.locator, language)}"
    return f"<{tag}>\n[{number}] ({_one_line(where)})\n{passage.text}\n</{tag}>"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _fitting(blocks: Sequence[str], room: int) -> int:
    count = 0
    for block in blocks:
        # Blocks are joined by an empty line.
        room -= estimate_tokens(block) + 1
        if room < 0:
            break
        count += 1
    return count


def _last_turns(history: Sequence[Turn], room: int) -> tuple[ChatMessage, ...]:
    kept: list[ChatMessage] = []
    for turn in reversed(history):
        message = _earlier(turn)
        room -= _tokens(message)
        if room < 0:
            break
        kept.append(message)
    return tuple(reversed(kept))


def _earlier(turn: Turn) -> ChatMessage:
    # Numbers of an earlier answer point at other passages than today's.
    if turn.role == "assistant":
        return ChatMessage("assistant", _CITATION.sub("", turn.content))
    return ChatMessage("user", turn.content)
