"""Who one is, one's groups, language and appearance."""

from typing import Any

import reflex as rx

from youworker_app.accounts.ui.account_state import AccountPageState
from youworker_app.accounts.ui.state import AccountState
from youworker_app.ui import i18n
from youworker_app.ui.components.sections import section
from youworker_app.ui.words import t

THEMES = ("system", "light", "dark")


def profile_section() -> rx.Component:
    """The section."""
    role = rx.cond(AccountState.is_root, t("account.role.root"), t("account.role.member"))
    groups = rx.cond(
        AccountState.groups.length() > 0,
        rx.foreach(AccountState.groups, lambda group: rx.el.div(group.name, key=group.id)),
        t("account.no_groups"),
    )
    password = rx.cond(AccountState.has_password, rx.el.div(t("account.doors.password")))
    issuers = rx.foreach(AccountPageState.issuers, lambda issuer: rx.el.div(issuer, key=issuer))
    facts = [
        (t("login.username"), AccountState.username),
        (t("account.role"), role),
        (t("account.groups"), groups),
        (t("account.doors"), rx.fragment(password, issuers)),
    ]
    return section(
        t("account.profile"),
        rx.el.dl(
            *[part for name, value in facts for part in (rx.el.dt(name), rx.el.dd(value))], class_name="facts"
        ),
        rx.el.div(_language(), _theme(), class_name="choices"),
    )


def _language() -> rx.Component:
    choices = [("", t("account.language.auto")), *i18n.LANGUAGE_NAMES.items()]
    return _choice("language", t("account.language"), choices, AccountState.language_choice)


def _theme() -> rx.Component:
    choices = [(name, t(f"account.theme.{name}")) for name in THEMES]
    return _choice("theme", t("account.theme"), choices, AccountState.theme)


def _choice(kind: str, label: Any, choices: list[tuple[str, Any]], chosen: Any) -> rx.Component:
    return rx.el.div(
        rx.el.label(label, html_for=f"choose-{kind}", class_name="label"),
        rx.el.select(
            *[rx.el.option(text, value=value) for value, text in choices],
            id=f"choose-{kind}",
            value=chosen,
            on_change=lambda value: AccountState.choose(f"{kind}:" + value),
            class_name="input select",
        ),
        class_name="field",
    )
