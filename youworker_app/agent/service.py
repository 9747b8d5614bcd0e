"""Answers a question from documents: searches first, then lets a model write, or quotes where there is none.

Owns the order of events and the choice of the model. Writes nothing to the database and knows no conversation.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

from youworker_app.access.actor import Actor
from youworker_app.agent.followups import search_text
from youworker_app.agent.passages import PASSAGES, passages_answer, stream
from youworker_app.agent.prompt import build_prompt
from youworker_app.agent.schemas import (
    AgentEvent,
    Evidence,
    Question,
    Searching,
    Thinking,
    Token,
    Usage,
    Writing,
)
from youworker_app.agent.texts import Reason
from youworker_app.core.settings import ChatSettings, LLMSettings
from youworker_app.core.telemetry import get_logger
from youworker_app.documents.schemas import Passage
from youworker_app.gateways.llm.errors import ModelAway, ModelFailed, ModelMissing
from youworker_app.gateways.llm.protocol import Completion, LanguageModel, ModelInfo, TextDelta
from youworker_app.retrieval.language import question_language
from youworker_app.retrieval.schemas import SearchQuery
from youworker_app.retrieval.service import RetrievalService

log = get_logger(__name__)

_TEMPERATURE = 0.2  # answers from evidence: little invention


@dataclass(frozen=True)
class _Choice:
    """The model that answers, or why passages do."""

    model: ModelInfo | None
    reason: Reason = "away"


class AgentService:
    """Turns a question into a stream of events."""

    def __init__(
        self,
        retrieval: RetrievalService,
        llm: LanguageModel,
        settings: ChatSettings,
        llm_settings: LLMSettings,
    ) -> None:
        self._retrieval, self._llm = retrieval, llm
        self._settings, self._llm_settings = settings, llm_settings

    async def answer(self, actor: Actor, question: Question) -> AsyncGenerator[AgentEvent, None]:
        """Searching and Evidence (where documents are used), Writing, then Thinking and Token, and Usage last.

        The caller has asked for its own scope. Closing the generator, or cancelling the task that iterates, stops the
        model at once. A model that goes away before its first word is replaced by the passages; `Writing` says so.

        Raises:
            ModelMissing: the model that was asked for by name is not there.
            ModelAway, ModelStalled, ModelFailed: after the tokens that came before it.
            QuestionTooLongForModel, and what `RetrievalService.find` raises.
        """
        choosing = asyncio.create_task(self._choose(question.model))
        try:
            passages: tuple[Passage, ...] = ()
            query = search_text(question.text, question.history)
            if question.use_documents:
                yield Searching()
                passages = await self._retrieval.find(actor, self._search(question, query))
                yield Evidence(passages)
            choice = await choosing
        finally:
            choosing.cancel()
            await asyncio.gather(choosing, return_exceptions=True)
        async with aclosing(self._write(question, passages, query, choice)) as events:
            async for event in events:
                yield event

    async def list_models(self) -> tuple[bool, tuple[str, ...], str]:
        """(whether a server of models answers, the models' names, the one that answers unless another is asked for).

        The last is "" when passages answer.
        """
        try:
            models = await self._llm.list_models()
        except ModelAway:
            return False, (), ""
        default = self._default(models)
        return True, tuple(info.name for info in models), default.name if default else ""

    async def _choose(self, asked: str | None) -> _Choice:
        if asked == PASSAGES:
            return _Choice(None, "chosen")
        try:
            models = await self._llm.list_models()
        except ModelAway:
            return _Choice(None, "away")
        if asked:
            named = next((info for info in models if info.name == asked), None)
            if named is None:
                raise ModelMissing(model=asked)
            return _Choice(named)
        default = self._default(models)
        return _Choice(default) if default else _Choice(None, "no_model")

    def _default(self, models: list[ModelInfo]) -> ModelInfo | None:
        wanted = self._llm_settings.model
        return next((info for info in models if info.name == wanted), models[0] if models else None)

    def _search(self, question: Question, query: str) -> SearchQuery:
        return SearchQuery(
            query,
            self._settings.passages,
            group_ids=question.group_ids,
            document_ids=question.document_ids,
        )

    async def _write(
        self, question: Question, passages: tuple[Passage, ...], query: str, choice: _Choice
    ) -> AsyncGenerator[AgentEvent, None]:
        language = await answer_language(question)
        reason = choice.reason
        if choice.model is not None:
            has_said = False
            try:
                async with aclosing(self._by_model(question, passages, language, choice.model)) as events:
                    async for event in events:
                        has_said = has_said or isinstance(event, Token | Thinking)
                        yield event
                return
            except ModelAway:
                if has_said:
                    raise
                reason = "away"
                log.info("model_away_before_answer", model=choice.model.name)
        yield Writing(PASSAGES)
        text = passages_answer(question, passages, query=query, language=language, reason=reason)
        async with aclosing(stream(text)) as tokens:
            async for token in tokens:
                yield token

    async def _by_model(
        self, question: Question, passages: tuple[Passage, ...], language: str, model: ModelInfo
    ) -> AsyncGenerator[AgentEvent, None]:
        kept = question.history[-self._settings.history_messages :] if self._settings.history_messages else ()
        prompt = build_prompt(
            replace(question, history=kept),
            passages,
            language=language,
            model=model,
            max_tokens=self._llm_settings.max_tokens,
        )
        log.info(
            "asking_model",
            model=model.name,
            passages=prompt.passages,
            turns=prompt.turns,
            left_out=len(passages) - prompt.passages,
        )
        yield Writing(model.name)
        has_text = False
        answering = self._llm.stream(
            model.name, prompt.messages, max_tokens=prompt.max_tokens, temperature=_TEMPERATURE
        )
        async with aclosing(answering) as pieces:
            async for piece in pieces:
                for event in _events(piece):
                    has_text = has_text or isinstance(event, Token)
                    if isinstance(event, Usage) and not has_text:
                        raise ModelFailed(model=model.name, reason="it ended without a word")
                    yield event


async def answer_language(question: Question) -> str:
    """The chosen language, else the question's, else that of the turns before; "" when none can be told."""
    if question.language:
        return question.language
    asked = [question.text, *(turn.content for turn in reversed(question.history) if turn.role == "user")]
    for text in asked:
        if language := await question_language(text):
            return language
    return ""


def _events(piece: TextDelta | Completion) -> list[AgentEvent]:
    if isinstance(piece, Completion):
        return [Usage(piece.prompt_tokens, piece.completion_tokens)]
    events: list[AgentEvent] = []
    if piece.thinking:
        events.append(Thinking(piece.thinking))
    if piece.text:
        events.append(Token(piece.text))
    return events
