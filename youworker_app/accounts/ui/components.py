"""The account menu: language, appearance, sign out; above it, that keys end soon."""

from typing import Any

import reflex as rx

from youworker_app.accounts.ui.profile_section import THEMES
from youworker_app.accounts.ui.state import AccountState
from youworker_app.ui import i18n
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.components.buttons import glyph, page_link
from youworker_app.ui.react.windows import Menu, NativeForm
from youworker_app.ui.words import t


def account_menu() -> rx.Component:
    """The person's name as a menu, and the way out beside it."""
    name = rx.fragment(
        rx.el.span(AccountState.username[:1], class_name="avatar", aria_hidden="true"),
        rx.el.span(AccountState.username, class_name="account-name"),
        glyph("chevrons-up-down", 15),
    )
    menu = Menu.create(
        name,
        label=t("account.menu"),
        trigger_class="account",
        items=_items(),
        side="top",
        on_choose=AccountState.choose,
    )
    leave = rx.el.button(
        glyph("log-out", 17),
        type="submit",
        class_name="icon-button",
        aria_label=t("account.sign_out"),
        title=t("account.sign_out"),
    )
    form = NativeForm.create(leave, action="/auth/form/logout", csrf=BaseState.csrf_token, class_name="leave")
    return rx.fragment(
        rx.cond(AccountState.ending_keys > 0, _ending_keys()),
        rx.el.div(menu, form, class_name="account-row"),
    )


def _ending_keys() -> rx.Component:
    note = rx.el.span(t("account.keys.note", n=AccountState.ending_keys))
    return page_link(glyph("key-round", 15), note, to="/account#keys", class_name="side-warning")


def _items() -> Any:
    account = {"value": "go:account", "text": t("account.title")}
    people = {"value": "go:users", "text": t("users.title")}
    trail = {"value": "go:audit", "text": t("nav.audit")}
    choices = [{"line": True}, *_choices()]
    return rx.cond(AccountState.is_root, [account, people, trail, *choices], [account, *choices])


def _choices() -> list[Any]:
    languages = [("", t("account.language.auto")), *i18n.LANGUAGE_NAMES.items()]
    return [
        {"heading": t("account.theme")},
        *[_item("theme", name, t(f"account.theme.{name}"), AccountState.theme) for name in THEMES],
        {"line": True},
        {"heading": t("account.language")},
        *[_item("language", code, name, AccountState.language_choice) for code, name in languages],
    ]


def _item(kind: str, value: str, text: Any, chosen: Any) -> dict[str, Any]:
    return {"value": f"{kind}:{value}", "text": text, "checked": chosen == value}
