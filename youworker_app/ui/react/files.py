"""Writing a question and sending files."""

from typing import Any

import reflex as rx

from youworker_app.ui.react.base import SOURCES, LocalComponent, no_arguments, one_text, two_texts
from youworker_app.ui.words import labels


class Composer(LocalComponent):
    """Where a question is written. `suggestion` and `returned` are `{n, text}`: a new `n` puts the text in."""

    library = f"{SOURCES}/composer.jsx"
    tag = "Composer"

    conversation: rx.Var[str]
    running: rx.Var[bool]
    limit: rx.Var[int]
    csrf: rx.Var[str]
    fields: rx.Var[dict[str, Any]]
    labels: rx.Var[dict[str, str]]
    errors: rx.Var[dict[str, str]]
    suggestion: rx.Var[Any]
    returned: rx.Var[Any]

    on_send: rx.EventHandler[one_text]
    on_stop: rx.EventHandler[no_arguments]
    on_stored: rx.EventHandler[two_texts]


class UploadZone(LocalComponent):
    """Takes files by drop or choice; `on_stored` carries the document's id and the id of one that was there before."""

    library = f"{SOURCES}/files.jsx"
    tag = "UploadZone"

    csrf: rx.Var[str]
    fields: rx.Var[dict[str, Any]]
    labels: rx.Var[dict[str, str]]
    errors: rx.Var[dict[str, str]]

    on_stored: rx.EventHandler[two_texts]


class AttachButton(LocalComponent):
    """Opens the composer's choice of files."""

    library = f"{SOURCES}/files.jsx"
    tag = "AttachButton"


def upload_labels() -> dict[str, str]:
    """The keys of the words that files on their way need."""
    return {
        "sending": "documents.sending",
        "retry": "documents.retry",
        "dismiss": "documents.dismiss",
        "cancel": "documents.cancel",
    }


def composer_labels() -> rx.Var[dict[str, str]]:
    """The words that the composer needs."""
    return labels(
        placeholder="chat.placeholder",
        send="chat.send",
        stop="chat.stop",
        attach="chat.attach",
        drop="chat.drop",
        **upload_labels(),
    )
