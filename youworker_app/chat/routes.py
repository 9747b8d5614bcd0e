"""/v1/chat and /v1/models: ask, follow, stop. Conversations: session_routes.py."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, Field

from youworker_app.access.actor import Scope, require_scope
from youworker_app.api.actor import CurrentActor
from youworker_app.api.described import errors
from youworker_app.api.params import OpaqueId, ShortText
from youworker_app.chat.schemas import PASSAGES_MODEL, AskQuestion, CitationView, MessageView, StartedRun
from youworker_app.chat.service import ChatService
from youworker_app.chat.session_routes import router as sessions
from youworker_app.chat.sse import event_stream
from youworker_app.core.registry import service
from youworker_app.core.stopping import Stopping

router = APIRouter(tags=["chat"])

# A client that does not stream waits for so long; then it is told where the answer goes on.
WAIT_SECONDS = 300.0
_EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "id": {"type": "string", "description": "Counts up; where to go on, as Last-Event-ID."},
        "event": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
_SSE = {
    "description": "The run's events: session, status, citations, thinking, token, done, error, reset. A server that is "
    "being stopped ends the stream with bye: ask again after its retry time, with Last-Event-ID.",
    "content": {"text/event-stream": {"itemSchema": _EVENT}},
}


class ChatBody(BaseModel):
    """`group_ids` and `document_ids` narrow where the answer is looked for; an empty list narrows to nothing."""

    message: str
    session_id: OpaqueId | None = None
    model: ShortText | None = None
    language: Annotated[str, Field(max_length=16)] | None = None
    group_ids: Annotated[list[OpaqueId], Field(max_length=200)] | None = None
    document_ids: Annotated[list[OpaqueId], Field(max_length=1_000)] | None = None
    use_documents: bool = True
    enable_tools: bool | None = Field(None, description="Accepted; there are no tools yet.")
    max_iterations: int | None = Field(
        None, ge=1, le=50, description="Accepted; counts once there are tools."
    )
    stream: bool = False

    def as_question(self) -> AskQuestion:
        return AskQuestion(
            self.message,
            self.session_id,
            self.model,
            self.language,
            None if self.group_ids is None else tuple(self.group_ids),
            None if self.document_ids is None else tuple(self.document_ids),
            self.use_documents,
        )


@dataclass(frozen=True)
class AnswerError:
    code: str
    message: str


@dataclass(frozen=True)
class Answer:
    """`state`: complete, stopped, failed or interrupted, the last three with what was written; running in a 202."""

    run_id: str
    session_id: str
    message_id: str
    state: str
    content: str = ""
    citations: tuple[CitationView, ...] = ()
    tool_runs: tuple[str, ...] = ()
    usage: dict[str, int | None] | None = None
    model: str = ""
    error: AnswerError | None = None


@dataclass(frozen=True)
class ModelItem:
    id: str
    owned_by: str
    object: Literal["model"] = "model"
    created: int = 0


@dataclass(frozen=True)
class ModelList:
    """`chosen` answers unless a question names another; the built-in `passages` needs no language model."""

    data: tuple[ModelItem, ...]
    connected: bool
    chosen: str
    object: Literal["list"] = "list"


@router.post(
    "/chat",
    response_model=Answer,
    responses={
        200: {"content": _SSE["content"]},
        202: {"model": Answer, "description": "Still being written."},
        **errors(409, 429, 503),
    },
)
async def ask(actor: CurrentActor, body: ChatBody, response: Response) -> Answer | Response:
    """Asks. With `stream` the run's events are the answer; a client that goes away does not stop the run."""
    require_scope(actor, Scope.CHAT_WRITE)
    # Before the run starts: its answer could not be handed out otherwise.
    require_scope(actor, Scope.CHAT_READ)
    chat = service(ChatService)
    if body.stream:
        return await event_stream(await chat.stream(actor, body.as_question()), service(Stopping))
    started = await chat.ask(actor, body.as_question())
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            return _answer(started, await chat.wait(actor, started.run_id))
    except TimeoutError:
        response.status_code = 202
        return Answer(started.run_id, started.session_id, started.message_id, "running")


@router.get(
    "/chat/runs/{run_id}/events",
    response_class=Response,
    responses={200: _SSE, 204: {"description": "Nothing follows."}},
)
async def follow(
    actor: CurrentActor,
    run_id: OpaqueId,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
) -> Response:
    """The run's events above `Last-Event-ID`, or above `after` where there is no such header."""
    events = service(ChatService).events(actor, run_id, after=_number(last_event_id, after))
    return await event_stream(events, service(Stopping))


@router.post("/chat/runs/{run_id}/stop", status_code=204)
async def stop(actor: CurrentActor, run_id: OpaqueId) -> None:
    await service(ChatService).stop(actor, run_id)


@router.get("/models")
async def list_models(actor: CurrentActor) -> ModelList:
    found = await service(ChatService).list_models(actor)
    data = (*(ModelItem(name, "ollama") for name in found.models), ModelItem(PASSAGES_MODEL, "youworker"))
    return ModelList(data, found.connected, found.chosen or PASSAGES_MODEL)


router.include_router(sessions)  # after the question, which is asked more often


def _answer(started: StartedRun, message: MessageView) -> Answer:
    return Answer(
        started.run_id,
        started.session_id,
        started.message_id,
        message.state,
        message.content,
        message.citations,
        usage=message.usage,
        model=message.model,
        error=AnswerError(message.error_code, message.error) if message.error_code else None,
    )


def _number(header: str | None, otherwise: int) -> int:
    """A foreign or empty Last-Event-ID means the beginning: a reader then sees everything, and loses nothing."""
    if header is None:
        return otherwise
    return int(header) if header.isascii() and header.isdigit() and len(header) <= 9 else 0
