"""API keys: what there are, a new one by boxes to tick, and a successor for one that is in use."""

from typing import Any

import reflex as rx

from youworker_app.access.actor import Scope
from youworker_app.accounts.ui.keys_state import GROUP_BOX, KeysState
from youworker_app.accounts.ui.state import AccountState
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.components.buttons import button, icon_button
from youworker_app.ui.components.feedback import badge, confirm
from youworker_app.ui.components.fields import field
from youworker_app.ui.components.sections import row, section
from youworker_app.ui.react.windows import Dialog, Secret, When
from youworker_app.ui.words import labels, t

# Hours that the old key lives on; the second is what the form begins with.
OVERLAPS = (
    ("0", "account.keys.overlap.now"),
    ("24", "account.keys.overlap.day"),
    ("168", "account.keys.overlap.week"),
)


def keys_section() -> rx.Component:
    """The section."""
    rows = rx.el.ul(rx.foreach(KeysState.keys, _key), class_name="rows", aria_label=t("account.keys"))
    ending = rx.el.p(t("account.keys.ending", n=KeysState.ending), class_name="notice")
    return section(
        t("account.keys"),
        rx.el.div(rx.cond(KeysState.ending > 0, ending), role="status"),
        rx.cond(KeysState.keys.length() > 0, rows),
        _form(),
        _secret(),
        _rotation(),
        confirm(
            KeysState.doomed.id != "",
            title=t("account.keys.delete.title"),
            text=t("account.keys.delete.text", name=KeysState.doomed.name),
            yes=t("account.keys.delete.yes"),
            on_yes=KeysState.delete,
            on_close=KeysState.keep,
        ),
        intro=t("account.keys.intro"),
        anchor="keys",
    )


def _form() -> rx.Component:
    scopes = [_box(scope.value, t(f"scope.{scope.name.lower()}")) for scope in Scope]
    groups = rx.el.fieldset(
        rx.el.legend(t("account.keys.groups")),
        rx.el.p(t("account.keys.groups.hint"), class_name="hint"),
        rx.foreach(AccountState.groups, lambda group: _box(GROUP_BOX + group.id, group.name)),
        class_name="checks",
    )
    return rx.el.form(
        field(t("account.keys.name"), "key_name", max_length=64, required=True, auto_complete="off"),
        rx.el.fieldset(rx.el.legend(t("account.keys.scopes")), *scopes, class_name="checks"),
        rx.cond(AccountState.groups.length() > 0, groups),
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


def _box(name: Any, text: Any) -> rx.Component:
    return rx.el.label(rx.el.input(type="checkbox", name=name), rx.el.span(text), class_name="check")


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


def _rotation() -> rx.Component:
    choices = [rx.el.option(t(words), value=hours) for hours, words in OVERLAPS]
    form = rx.el.form(
        rx.el.div(
            rx.el.label(t("account.keys.overlap"), html_for="overlap", class_name="label"),
            rx.el.select(
                *choices, id="overlap", name="overlap", default_value="24", class_name="input select"
            ),
            class_name="field",
        ),
        rx.el.div(
            button(t("app.cancel"), on_click=KeysState.keep),
            button(t("account.keys.rotate.yes"), variant="primary", type="submit"),
            class_name="dialog-actions",
        ),
        on_submit=KeysState.rotate,
        class_name="dialog-form",
    )
    return Dialog.create(
        rx.el.h2(t("account.keys.rotate.title"), class_name="dialog-title"),
        rx.el.p(t("account.keys.rotate.text", name=KeysState.turning.name), class_name="dialog-text"),
        form,
        open=KeysState.turning.id != "",
        label=t("account.keys.rotate.title"),
        on_close=KeysState.keep,
    )


def _key(key: Any) -> rx.Component:
    delete = icon_button("trash-2", t("account.keys.delete", name=key.name), on_click=KeysState.doom(key.id))
    rotate = icon_button(
        "refresh-cw", t("account.keys.rotate", name=key.name), on_click=KeysState.turn(key.id)
    )
    can_rotate = (key.life == "") | (key.life == "soon")
    actions = rx.cond(key.life != "foreign", rx.fragment(rx.cond(can_rotate, rotate), delete))
    return row("key-round", key.name, _facts(key), badges=_badges(key), actions=actions, key=key.id)


def _badges(key: Any) -> Any:
    groups = rx.cond(key.groups != "", key.groups, t("account.keys.no_groups"))
    life = rx.match(
        key.life,
        ("soon", badge(t("account.keys.soon"), kind="warn")),
        ("ended", badge(t("account.keys.ended"))),
        ("replaced", badge(t("account.keys.replaced"))),
        ("foreign", badge(t("account.keys.foreign"))),
        rx.fragment(),
    )
    return rx.fragment(life, rx.cond(key.is_narrowed, badge(groups, icon="users")))


def _facts(key: Any) -> Any:
    origin = rx.cond(key.used_from != "", rx.fragment(" ", t("account.keys.from"), " ", key.used_from))
    used = rx.cond(
        key.used_at != "",
        rx.fragment(
            t("account.keys.used"), " ", When.create(at=key.used_at, language=BaseState.language), origin
        ),
        t("account.keys.unused"),
    )
    until = rx.cond(
        key.expires_at != "",
        rx.fragment(
            t("account.keys.until"), " ", When.create(at=key.expires_at, language=BaseState.language)
        ),
        t("account.keys.foreign.text"),
    )
    parts = [key.prefix, "… · ", key.scopes, " · ", until, " · ", used]
    return rx.fragment(*parts)
