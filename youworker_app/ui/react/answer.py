"""The answer, live or finished, and the scrolling thread around it."""

from typing import Any

import reflex as rx

from youworker_app.ui.react.base import SOURCES, LocalComponent, no_arguments, one_number, one_text
from youworker_app.ui.words import labels


class AnswerView(LocalComponent):
    """Reads `/v1/chat/runs/{run_id}/events` while `live`, else shows `content`. `on_done` fires once a run.

    Children stand beside the copy button once it is written.
    """

    library = f"{SOURCES}/answer.jsx"
    tag = "AnswerView"
    lib_dependencies: list[str] = ["react-markdown@10.1.0", "remark-gfm@4.0.1"]

    run_id: rx.Var[str]
    live: rx.Var[bool]
    content: rx.Var[str]
    citations: rx.Var[list[Any]]
    labels: rx.Var[dict[str, str]]
    note: rx.Var[str]
    note_kind: rx.Var[str]

    on_cite: rx.EventHandler[one_number]
    on_done: rx.EventHandler[one_text]


class Thread(LocalComponent):
    """Keeps the newest words in sight while the reader is there."""

    library = f"{SOURCES}/thread.jsx"
    tag = "Thread"

    conversation: rx.Var[str]
    more: rx.Var[bool]
    label: rx.Var[str]
    labels: rx.Var[dict[str, str]]

    on_older: rx.EventHandler[no_arguments]


def answer_labels() -> rx.Var[dict[str, str]]:
    """The words that an answer needs."""
    return labels(
        searching="answer.searching",
        thinking="answer.thinking",
        writing="answer.writing",
        ready="answer.ready",
        thoughts="answer.thoughts",
        sources="answer.sources",
        source="answer.source",
        gone="answer.gone",
        away="answer.away",
        copy="app.copy",
        copied="app.copied",
        page="locator.page",
        slide="locator.slide",
        sheet="locator.sheet",
        section="locator.section",
        part="locator.part",
        time="locator.time",
    )


def thread_labels() -> rx.Var[dict[str, str]]:
    """The words that a thread needs."""
    return labels(older="chat.older", newest="chat.newest")
