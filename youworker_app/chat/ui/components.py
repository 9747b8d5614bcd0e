"""The parts of the chat page: messages, the empty conversation, the composer with what stands around it."""

from typing import Any

import reflex as rx

from youworker_app.chat.ui.panel_state import PanelState
from youworker_app.chat.ui.state import ChatState, ModelState
from youworker_app.chat.ui.views import MessageItem
from youworker_app.documents.ui.components import attached_files
from youworker_app.documents.ui.state import DocumentsState
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.components.brand import mark
from youworker_app.ui.components.buttons import button, glyph
from youworker_app.ui.react.answer import AnswerView, answer_labels
from youworker_app.ui.react.files import AttachButton, Composer, composer_labels
from youworker_app.ui.react.windows import Dialog, Menu
from youworker_app.ui.words import error_labels, t


def message(item: rx.Var[MessageItem]) -> rx.Component:
    """A question or an answer."""
    question = rx.el.article(
        rx.el.h2(t("chat.you"), class_name="sr-only"),
        rx.el.div(item.content, class_name="question"),
        class_name="message mine",
    )
    answer = rx.el.article(
        rx.el.h2(t("app.name"), class_name="sr-only"),
        AnswerView.create(
            rx.cond(item.broke_off, _ask_again(item)),
            run_id=item.run_id,
            live=item.live,
            content=item.content,
            citations=item.citations,
            labels=answer_labels(),
            note=item.note,
            note_kind=item.note_kind,
            on_cite=lambda n: PanelState.open(item.id, n),
            on_done=lambda _run_id: ChatState.refresh(),
        ),
        class_name="message theirs",
    )
    return rx.el.div(rx.cond(item.mine, question, answer), key=item.id)


def empty_conversation(name: Any) -> rx.Component:
    """What an empty conversation says and offers."""
    title = rx.cond(name != "", t("chat.empty.title_name", name=name), t("chat.empty.title"))
    no_documents = (DocumentsState.items.length() == 0) & (DocumentsState.working.length() == 0)
    text = rx.cond(no_documents, t("chat.empty.no_documents"), t("chat.empty.text"))
    card = _card("file-plus-2", t("chat.suggest.upload"), t("chat.suggest.upload.text"))
    add = AttachButton.create(*card, class_name="card")
    return rx.el.div(
        mark(44),
        rx.el.h1(title, class_name="hello"),
        rx.el.p(text, class_name="hello-text"),
        rx.el.div(
            add,
            _suggestion("list-checks", "chat.suggest.summary"),
            _suggestion("search-check", "chat.suggest.find"),
            class_name="cards",
        ),
        class_name="empty-chat",
    )


def composer() -> rx.Component:
    """The composer with the model, or the line that says that there is none."""
    return rx.el.div(
        Composer.create(
            attached_files(),
            conversation=ChatState.session,
            running=ChatState.running != "",
            limit=ChatState.limit,
            csrf=BaseState.csrf_token,
            fields={"group_id": DocumentsState.group},
            labels=composer_labels(),
            errors=error_labels(),
            returned=ChatState.draft,
            on_send=ChatState.ask,
            on_stop=ChatState.stop,
            on_stored=DocumentsState.attach,
        ),
        rx.el.div(rx.cond(ModelState.passages, _passages_line(), _model_menu()), class_name="under"),
        _how_to_connect(),
        class_name="composer-wrap",
    )


def _ask_again(item: rx.Var[MessageItem]) -> rx.Component:
    return rx.el.button(
        t("answer.ask_again"),
        type="button",
        class_name="foot-button",
        disabled=ChatState.running != "",
        on_click=ChatState.ask_again(item.id),
    )


def _card(icon: str, title: Any, text: Any) -> list[rx.Component]:
    return [
        glyph(icon, 18),
        rx.el.span(title, class_name="card-title"),
        rx.el.span(text, class_name="card-text"),
    ]


def _suggestion(icon: str, key: str) -> rx.Component:
    content = _card(icon, t(key), t(f"{key}.text"))
    return rx.el.button(*content, type="button", class_name="card", on_click=ChatState.suggest(f"{key}.text"))


def _passages_line() -> rx.Component:
    return rx.el.p(
        glyph("quote", 14),
        rx.el.span(t("chat.passages.line")),
        rx.el.button(
            t("chat.passages.how"), type="button", class_name="text-button", on_click=ModelState.explain(True)
        ),
        class_name="passages",
    )


def _model_menu() -> rx.Component:
    items = ModelState.models.map(
        lambda name: rx.Var.create({"value": name, "text": name, "checked": name == ModelState.chosen})
    )
    trigger = rx.fragment(
        glyph("cpu", 14), rx.el.span(ModelState.chosen, class_name="model-name"), glyph("chevron-down", 14)
    )
    return Menu.create(
        trigger,
        label=t("chat.model.choose"),
        trigger_class="model",
        items=items,
        side="top",
        align="center",
        on_choose=ModelState.choose,
    )


def _how_to_connect() -> rx.Component:
    return Dialog.create(
        rx.el.h2(t("chat.passages.title"), class_name="dialog-title"),
        rx.el.p(t("chat.passages.text"), class_name="dialog-text"),
        rx.el.ol(
            rx.el.li(t("chat.passages.step1")),
            rx.el.li(t("chat.passages.step2"), rx.el.code("ollama pull llama3.2:3b", class_name="command")),
            rx.el.li(
                t("chat.passages.step3"),
                rx.el.code("YOUWORKER_LLM_OLLAMA_URL=http://host:11434", class_name="command"),
            ),
            class_name="steps",
        ),
        rx.el.div(
            button(t("app.close"), on_click=ModelState.explain(False)),
            button(t("chat.passages.check"), variant="primary", on_click=ModelState.refresh),
            class_name="dialog-actions",
        ),
        open=ModelState.explaining,
        label=t("chat.passages.title"),
        on_close=ModelState.explain(False),
    )
