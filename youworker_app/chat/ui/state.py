"""The open conversation: its messages as they are kept, and asking. What streams does not pass through here."""

from dataclasses import dataclass
from itertools import pairwise

import reflex as rx
from reflex.event import EventSpec

from youworker_app.access.actor import Actor
from youworker_app.chat.conversations import ConversationService
from youworker_app.chat.schemas import AskQuestion, MessageView, StartedRun, first_title
from youworker_app.chat.service import ChatService
from youworker_app.chat.ui.views import MessageItem, asked_items, message_item
from youworker_app.core.errors import AppError, NotFound, TooManyRequests
from youworker_app.core.events import Event
from youworker_app.core.paging import PageRequest
from youworker_app.core.registry import service
from youworker_app.core.settings import Settings
from youworker_app.documents.ui.state import DocumentsState
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.errors import on_error

WINDOW = 40


@dataclass(frozen=True)
class Draft:
    """A text for the composer; a new `n` puts it there."""

    n: int = 0
    text: str = ""


class ChatState(BaseState):
    """`earlier` are messages that no longer change, `recent` those since the page was opened: asking sends few of them."""

    session: str = ""
    heading: str = ""
    earlier: list[MessageItem] = []
    recent: list[MessageItem] = []
    running: str = ""
    older: str = ""
    draft: Draft = Draft()
    limit: int = 16_000

    @rx.event
    async def open(self) -> EventSpec | None:
        """Rebuilds the conversation that the address names, or an empty one."""
        actor = await self._actor()
        self.limit = service(Settings).chat.max_question_chars
        wanted = str(self.router.url.path).partition("/c/")[2].strip("/")
        is_other = wanted != self.session
        if is_other:
            self._show("", [])
        try:
            await self._load(actor, wanted)
        except NotFound:
            return rx.redirect("/", replace=True)
        return DocumentsState.settle(True) if is_other else None

    @rx.event
    async def ask(self, question: str) -> EventSpec | None:
        """Asks; a question that is refused goes back into the composer."""
        try:
            actor = await self._actor()
        except TooManyRequests as error:
            return self._give_back(question, error)
        return await self._ask(actor, question)

    @rx.event
    async def ask_again(self, message_id: str) -> EventSpec | None:
        """Asks the question once more whose answer broke off; what was written of that one stays."""
        actor = await self._actor()
        items = [*self.earlier, *self.recent]
        pairs = pairwise(items)
        wanted = (q.content for q, answer in pairs if q.mine and answer.id == message_id and answer.broke_off)
        question = next(wanted, "")
        return await self._ask(actor, question) if question else None

    async def _ask(self, actor: Actor, question: str) -> EventSpec | None:
        models = await self.get_state(ModelState)
        asked = AskQuestion(
            question, self.session or None, model=models.chosen or None, language=self.language
        )
        try:
            started = await service(ChatService).ask(actor, asked)
        except AppError as error:
            return self._give_back(question, error)
        self._begin(started, question.strip())
        documents = await self.get_state(DocumentsState)
        return DocumentsState.settle(False) if documents.attached else None

    def _give_back(self, question: str, error: AppError) -> EventSpec:
        self.draft = Draft(self.draft.n + 1, question)
        return on_error(error)

    @rx.event
    async def stop(self) -> None:
        """Ends the answer that is being written; what there is stays."""
        actor = await self._actor()
        if self.running:
            await service(ChatService).stop(actor, self.running)

    @rx.event
    async def refresh(self) -> None:
        """Reads the newest messages again: an answer ended, or another tab asked."""
        actor = await self._actor()
        await self._load(actor, self.session)

    @rx.event
    async def show_older(self) -> None:
        """Reads further back."""
        actor = await self._actor()
        page = PageRequest(limit=WINDOW, cursor=self.older or None)
        found = await service(ConversationService).list_messages(actor, self.session, page)
        self.earlier = [*(message_item(view, self.language) for view in found.items), *self.earlier]
        self.older = found.next_cursor or ""

    @rx.event
    async def leave(self, session_id: str) -> EventSpec | None:
        """Leaves a conversation that is gone."""
        await self._actor()
        return rx.redirect("/") if session_id == self.session else None

    @rx.event
    async def suggest(self, key: str) -> None:
        """Puts an example into the composer."""
        await self._actor()
        if key in {"chat.suggest.summary.text", "chat.suggest.find.text"}:
            self.draft = Draft(self.draft.n + 1, self._text(key))

    async def _load(self, actor: Actor, session_id: str) -> None:
        if not session_id:
            return
        page = PageRequest(limit=WINDOW)
        session, found = await service(ConversationService).open_session(actor, session_id, page)
        if session_id != self.session:
            self.older = found.next_cursor or ""
            self._show(session_id, [])
        self.heading = session.title
        self._merge(found.items)

    def _begin(self, started: StartedRun, question: str) -> None:
        """Shows what was just written down; nothing of it is read again. A new conversation's address follows by itself."""
        if started.session_id != self.session:
            self._show(started.session_id, [])
            self.heading = first_title(question)
        self.recent = [*self.recent, *asked_items(started, question)]
        self.running = started.run_id

    def _merge(self, views: tuple[MessageView, ...]) -> None:
        items = [message_item(view, self.language) for view in views]
        fixed = {item.id for item in self.earlier}
        recent = [item for item in items if item.id not in fixed]
        if not self.recent and not self.earlier:
            self.earlier, recent = _settled(items)
        if recent != self.recent:
            self.recent = recent
        running = next((item.run_id for item in reversed(items) if item.live), "")
        if running != self.running:
            self.running = running

    def _concerns(self, event: Event) -> bool:
        """Whether an answer that began or ended somewhere is news to this tab, which may know by itself."""
        if not self.session:
            return False
        items = [*self.earlier, *self.recent]
        shown = next((item for item in items if item.run_id == event.subject_id), None)
        return shown is None if event.name == "run_started" else shown is not None and shown.live

    def _show(self, session_id: str, items: list[MessageItem]) -> None:
        self.session, self.heading, self.running, self.older = session_id, "", "", ""
        self.earlier, self.recent = items, []


class ModelState(BaseState):
    """What can answer, and which of them the person picked in this tab."""

    models: list[str] = []
    chosen: str = ""
    passages: bool = False
    explaining: bool = False

    @rx.event
    async def refresh(self) -> None:
        """Asks again what can answer."""
        actor = await self._actor()
        view = await service(ChatService).list_models(actor)
        self.models, self.passages = list(view.models), not view.connected
        if self.chosen not in self.models:
            self.chosen = view.chosen if view.connected else ""

    @rx.event
    async def choose(self, model: str) -> None:
        """Picks a model for the questions to come."""
        await self._actor()
        if model in self.models:
            self.chosen = model

    @rx.event
    async def explain(self, shown: bool) -> None:
        """Shows or hides how a model is connected."""
        await self._actor()
        self.explaining = shown


def _settled(items: list[MessageItem]) -> tuple[list[MessageItem], list[MessageItem]]:
    """Everything up to the first answer that is still being written, and the rest."""
    first = next((index for index, item in enumerate(items) if item.live), len(items))
    return items[:first], items[first:]
