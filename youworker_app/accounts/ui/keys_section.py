"""API keys: what there are, and a new one by boxes to tick."""

from typing import Any

import reflex as rx

from youworker_app.access.actor import Scope
from youworker_app.accounts.ui.keys_state import KeysState
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.components.buttons import button, icon_button
from youworker_app.ui.components.feedback import confirm
from youworker_app.ui.components.fields import field
from youworker_app.ui.components.sections import row, section
from youworker_app.ui.react.windows import Dialog, Secret, When
from youworker_app.ui.words import labels, t


def keys_section() -> rx.Component:
    """The section."""
    rows = rx.el.ul(rx.foreach(KeysState.keys, _key), class_name="rows", aria_label=t("account.keys"))
    return section(
        t("account.keys"),
        rx.cond(KeysState.keys.length() > 0, rows),
        _form(),
        _secret(),
        confirm(
            KeysState.doomed.id != "",
            title=t("account.keys.delete.title"),
            text=t("account.keys.delete.text", name=KeysState.doomed.name),
            yes=t("account.keys.delete.yes"),
            on_yes=KeysState.delete,
            on_close=KeysState.keep,
        ),
        intro=t("account.keys.intro"),
    )


def _form() -> rx.Component:
    boxes = [
        rx.el.label(
            rx.el.input(type="checkbox", name=scope.value),
            rx.el.span(t(f"scope.{scope.name.lower()}")),
            class_name="check",
        )
        for scope in Scope
    ]
    return rx.el.form(
        field(t("account.keys.name"), "key_name", max_length=64, required=True, auto_complete="off"),
        rx.el.fieldset(rx.el.legend(t("account.keys.scopes")), *boxes, class_name="checks"),
        field(
            t("account.keys.days"),
            "days",
            hint=t("account.keys.days.hint", n=KeysState.longest),
            type="number",
            min=1,
            max=KeysState.longest,
            default_value=KeysState.longest.to_string(),
            required=True,
        ),
        button(t("account.keys.create"), icon="plus", type="submit"),
        on_submit=KeysState.create,
        reset_on_submit=True,
        class_name="form broad",
    )


def _secret() -> rx.Component:
    return Dialog.create(
        rx.el.h2(t("account.keys.new.title"), class_name="dialog-title"),
        rx.el.p(t("account.keys.new.text"), class_name="dialog-text"),
        Secret.create(value=KeysState.secret, labels=labels(copy="app.copy", copied="app.copied")),
        rx.el.div(button(t("app.close"), on_click=KeysState.forget_secret), class_name="dialog-actions"),
        open=KeysState.secret != "",
        label=t("account.keys.new.title"),
        on_close=KeysState.forget_secret,
    )


def _key(key: Any) -> rx.Component:
    used = rx.cond(
        key.used_at != "",
        rx.fragment(t("account.keys.used"), " ", When.create(at=key.used_at, language=BaseState.language)),
        t("account.keys.unused"),
    )
    facts = rx.fragment(
        key.prefix,
        "… · ",
        key.scopes,
        " · ",
        t("account.keys.until"),
        " ",
        When.create(at=key.expires_at, language=BaseState.language),
        " · ",
        used,
    )
    delete = icon_button("trash-2", t("account.keys.delete", name=key.name), on_click=KeysState.doom(key.id))
    return row("key-round", key.name, facts, actions=delete, key=key.id)
