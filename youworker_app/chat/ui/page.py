"""The chat: `/` is an empty conversation, `/c/[session_id]` one that is kept."""

from typing import Any

import reflex as rx

from youworker_app.chat.ui.components import composer, empty_conversation, message
from youworker_app.chat.ui.state import ChatState
from youworker_app.ui.react.answer import Thread, thread_labels
from youworker_app.ui.words import t


def chat_page(name: Any) -> rx.Component:
    """The conversation with the composer below. `name` greets in an empty one."""
    nothing = (ChatState.earlier.length() == 0) & (ChatState.recent.length() == 0)
    thread = Thread.create(
        rx.foreach(ChatState.earlier, message),
        rx.foreach(ChatState.recent, message),
        conversation=ChatState.session,
        more=ChatState.older != "",
        label=t("chat.thread"),
        labels=thread_labels(),
        on_older=ChatState.show_older,
    )
    title = rx.cond(ChatState.heading != "", ChatState.heading, t("chats.new"))
    return rx.el.div(
        rx.cond(nothing, rx.fragment(), rx.el.h1(title, class_name="sr-only")),
        rx.cond(nothing, empty_conversation(name), thread),
        composer(),
        class_name="chat",
        custom_attrs={"data-empty": rx.cond(nothing, "yes", "no")},
    )
