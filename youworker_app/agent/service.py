"""Placeholder until the real one lands (being written): passages only."""

from collections.abc import AsyncGenerator

from youworker_app.access.actor import Actor
from youworker_app.agent.schemas import AgentEvent, Evidence, Question, Searching, Token, Usage, Writing
from youworker_app.core.settings import ChatSettings, LLMSettings
from youworker_app.gateways.llm.protocol import LanguageModel
from youworker_app.retrieval.schemas import SearchQuery
from youworker_app.retrieval.service import RetrievalService


class AgentService:
    def __init__(
        self, retrieval: RetrievalService, llm: LanguageModel, settings: ChatSettings, llm_settings: LLMSettings
    ) -> None:
        self._retrieval, self._llm, self._settings = retrieval, llm, settings

    async def answer(self, actor: Actor, question: Question) -> AsyncGenerator[AgentEvent, None]:
        yield Searching()
        found = await self._retrieval.find(actor, SearchQuery(question.text, limit=self._settings.passages))
        yield Evidence(found)
        yield Writing("passages")
        for n, passage in enumerate(found, start=1):
            for word in passage.text.split(" "):
                yield Token(word + " ")
            yield Token(f"[{n}]\n\n")
        yield Usage(None, None)

    async def list_models(self) -> tuple[bool, tuple[str, ...], str]:
        return False, (), ""
