"""The interface's words as values that follow the chosen language in the browser, without a word over the socket."""

from typing import Any

import reflex as rx

from youworker_app.ui import i18n
from youworker_app.ui.base_state import BaseState


def t(key: str, **details: Any) -> rx.Var[str]:
    """The text of a key; `{name}` takes a plain value or a Var."""
    texts = {language: _filled(words[key], details) for language, words in i18n.CATALOGUES.items()}
    return rx.Var.create(texts)[BaseState.language].to(str)


def labels(**keys: str) -> rx.Var[dict[str, str]]:
    """Several texts for a wrapped React component: `labels(send="chat.send")`."""
    texts = {
        language: {name: words[key] for name, key in keys.items()}
        for language, words in i18n.CATALOGUES.items()
    }
    return rx.Var.create(texts)[BaseState.language].to(dict[str, str])


def error_labels() -> rx.Var[dict[str, str]]:
    """Every error's template by code, for sentences that the browser makes itself."""
    templates = {
        language: i18n.error_templates(language) | {"CONNECTION_LOST": words["app.error.connection"]}
        for language, words in i18n.CATALOGUES.items()
    }
    return rx.Var.create(templates)[BaseState.language].to(dict[str, str])


def both(key: str) -> list[rx.Component]:
    """A text in every language, one a line, where nothing is known about the reader."""
    return [rx.el.span(words[key], lang=code) for code, words in i18n.CATALOGUES.items()]


def _filled(template: str, details: dict[str, Any]) -> str:
    return template.format(**details) if details else template
