"""An agent over a shelf of passages and a scripted model."""

from collections.abc import Sequence

from tests.unit.retrieval.passages import ANNA, Shelf, numbered
from youworker_app.agent.schemas import AgentEvent, Question, Token
from youworker_app.agent.service import AgentService
from youworker_app.core.errors import AppError
from youworker_app.core.settings import ChatSettings, LLMSettings
from youworker_app.gateways.llm.protocol import LanguageModel

TEXTS = [
    "The boiler in the cellar is serviced each March. Its number is K-4711.",
    "The lift is inspected by the city every second year. Call the porter.",
    "The boiler's bill is paid by the tenants. Each pays the same [99].",
]


async def shelf(texts: Sequence[str] = TEXTS) -> Shelf:
    """Anna's passages, indexed."""
    return await Shelf(numbered(texts)).fill()


def agent(
    shelf: Shelf,
    llm: LanguageModel,
    *,
    model: str = "",
    max_tokens: int = 1_024,
    passages: int = 6,
    history_messages: int = 12,
) -> AgentService:
    """The agent with these settings."""
    chat = ChatSettings(passages=passages, history_messages=history_messages)
    return AgentService(shelf.service, llm, chat, LLMSettings(model=model, max_tokens=max_tokens))


async def events(service: AgentService, question: Question) -> list[AgentEvent]:
    """All events of an answer to Anna."""
    return [event async for event in service.answer(ANNA, question)]


async def broken_off(service: AgentService, question: Question, error: type[AppError]) -> list[AgentEvent]:
    """The events before the error that ends the answer."""
    got: list[AgentEvent] = []
    try:
        async for event in service.answer(ANNA, question):
            got.append(event)
    except error:
        return got
    raise AssertionError(f"{error.__name__} was not raised")


def text_of(events: Sequence[AgentEvent]) -> str:
    """The answer."""
    return "".join(event.text for event in events if isinstance(event, Token))
