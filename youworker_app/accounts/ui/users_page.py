"""`/users`: for administrators. People, and what is done with their accounts."""

from typing import Any

import reflex as rx

from youworker_app.accounts.ui.state import AccountState
from youworker_app.accounts.ui.users_state import UsersState
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.components.buttons import button, glyph
from youworker_app.ui.components.feedback import badge, confirm, skeleton
from youworker_app.ui.components.fields import field, search_field
from youworker_app.ui.components.sections import page_head, row, section
from youworker_app.ui.react.windows import Dialog, Menu, Secret, When
from youworker_app.ui.words import labels, t


def users_page() -> rx.Component:
    """The page; who is not an administrator reads that it is not for them."""
    people = rx.fragment(
        _newcomer(),
        rx.el.div(
            search_field(t("users.search"), on_change=UsersState.search.debounce(250)), class_name="tools"
        ),
        rx.cond(UsersState.loaded, _list(), skeleton(5)),
        rx.cond(UsersState.more, button(t("app.more"), variant="quiet", on_click=UsersState.show_more)),
        _link(),
        _confirm_removal(),
    )
    return rx.el.div(
        page_head(t("users.title"), t("users.intro")),
        rx.cond(AccountState.is_root, people, rx.el.p(t("users.root_only"), class_name="notice")),
        class_name="settings wide",
    )


def _newcomer() -> rx.Component:
    form = rx.el.form(
        field(t("login.username"), "newcomer", max_length=64, required=True, auto_complete="off"),
        rx.el.label(
            rx.el.input(type="checkbox", name="is_root"),
            rx.el.span(t("account.role.root")),
            class_name="check",
        ),
        button(t("users.add"), icon="plus", variant="primary", type="submit"),
        on_submit=UsersState.create,
        reset_on_submit=True,
        class_name="newcomer",
    )
    return section(t("users.add.title"), form, intro=t("users.add.intro"))


def _list() -> rx.Component:
    rows = rx.el.ul(rx.foreach(UsersState.users, _user), class_name="rows", aria_label=t("users.title"))
    none = rx.el.p(t("users.none_found"), class_name="none")
    return rx.cond(UsersState.users.length() > 0, rows, none)


def _user(user: Any) -> rx.Component:
    badges = rx.fragment(
        rx.cond(user.is_root, badge(t("account.role.root"), kind="good")),
        rx.cond(user.is_active, rx.fragment(), badge(t("users.suspended"), kind="warn")),
        rx.cond(user.has_password | user.has_identity, rx.fragment(), badge(t("users.no_password"))),
        rx.cond(user.has_identity, badge(t("users.provider"), icon="log-in")),
        rx.cond(user.is_held, badge(t("users.held"), kind="warn", icon="archive")),
        rx.cond(user.is_me, badge(t("users.me"))),
    )
    facts = rx.fragment(t("users.since"), " ", When.create(at=user.created_at, language=BaseState.language))
    menu = Menu.create(
        glyph("ellipsis", 18),
        label=t("users.actions", name=user.name),
        trigger_class="icon-button",
        items=_actions(user),
        align="end",
        on_choose=lambda action: UsersState.choose(user.id, action),
    )
    return row(
        rx.cond(user.is_root, glyph("shield"), glyph("user")),
        user.name,
        facts,
        badges=badges,
        actions=menu,
        key=user.id,
    )


def _actions(user: Any) -> list[Any]:
    def either(condition: Any, yes: str, no: str) -> dict[str, Any]:
        words = {"suspend": t("users.suspend"), "restore": t("users.restore")} | {
            "promote": t("users.promote"),
            "demote": t("users.demote"),
            "hold": t("users.hold"),
            "release": t("users.release"),
        }
        return {
            "value": rx.cond(condition, yes, no),
            "text": rx.cond(condition, words[yes], words[no]),
        }

    return [
        {"value": "reset", "text": t("users.reset")},
        either(user.is_root, "demote", "promote"),
        either(user.is_active, "suspend", "restore"),
        either(user.is_held, "release", "hold"),
        {"line": True},
        {"value": "remove", "text": t("users.remove"), "danger": True},
    ]


def _link() -> rx.Component:
    return Dialog.create(
        rx.el.h2(t("users.link.title", name=UsersState.link_name), class_name="dialog-title"),
        rx.el.p(t("users.link.text"), class_name="dialog-text"),
        Secret.create(value=UsersState.link, labels=labels(copy="app.copy", copied="app.copied")),
        rx.el.div(button(t("app.close"), on_click=UsersState.forget_link), class_name="dialog-actions"),
        open=UsersState.link != "",
        label=t("users.link.label"),
        on_close=UsersState.forget_link,
    )


def _confirm_removal() -> rx.Component:
    return confirm(
        UsersState.doomed.id != "",
        title=t("users.remove.title", name=UsersState.doomed.name),
        text=t("users.remove.text"),
        yes=t("users.remove.yes"),
        on_yes=UsersState.remove,
        on_close=UsersState.keep,
    )
