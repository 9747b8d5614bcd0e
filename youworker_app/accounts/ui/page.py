"""The entrance: setup and sign-in. Native forms, so that the HttpOnly cookie is set by a plain answer."""

from typing import Any

import reflex as rx

from youworker_app.accounts.ui.new_password import new_password_field
from youworker_app.accounts.ui.state import EntranceState
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.components.brand import brand
from youworker_app.ui.components.buttons import button, glyph, link_button
from youworker_app.ui.components.feedback import skeleton
from youworker_app.ui.components.fields import field
from youworker_app.ui.react.windows import NativeForm, PageEffects
from youworker_app.ui.words import t

TOKEN_URL = "/auth/form/token"  # noqa: S105 - an address


def login_page() -> rx.Component:
    """`/login`"""
    reset = rx.el.p(t("reset.done"), class_name="notice good", role="status")
    form = NativeForm.create(
        field(t("login.username"), "username", auto_complete="username", required=True, auto_focus=True),
        field(
            t("login.password"), "password", type="password", auto_complete="current-password", required=True
        ),
        rx.cond(
            EntranceState.provider != "",
            button(t("login.submit"), variant="secondary wide", type="submit"),
            button(t("login.submit"), variant="primary wide", type="submit"),
        ),
        rx.el.input(type="hidden", name="next", value=EntranceState.next, read_only=True),
        action="/auth/form/login",
        token_url=TOKEN_URL,
        class_name="form",
    )
    return entrance(
        t("login.title"),
        rx.cond((EntranceState.done == "reset") & (EntranceState.problem == ""), reset),
        _problem(),
        _provider(t("login.provider", name=EntranceState.provider)),
        rx.cond(
            EntranceState.takes_passwords,
            rx.fragment(
                rx.cond(EntranceState.provider != "", rx.el.p(t("login.or"), class_name="entrance-or")), form
            ),
        ),
    )


def setup_page() -> rx.Component:
    """`/setup?token=…`"""
    form = NativeForm.create(
        _problem(),
        rx.el.input(type="hidden", name="setup_token", value=EntranceState.setup_token, read_only=True),
        field(
            t("setup.username"),
            "username",
            hint=t("setup.username.hint"),
            auto_complete="username",
            required=True,
        ),
        new_password_field(t("setup.password"), "password", EntranceState.shortest),
        button(t("setup.submit"), variant="primary wide", type="submit"),
        action="/auth/form/setup",
        token_url=TOKEN_URL,
        class_name="form",
    )
    return _by_link("setup", form)


def reset_page() -> rx.Component:
    """`/reset?token=…`"""
    form = NativeForm.create(
        _problem(),
        rx.el.input(type="hidden", name="token", value=EntranceState.setup_token, read_only=True),
        new_password_field(t("account.password.new"), "password", EntranceState.shortest, auto_focus=True),
        button(t("reset.submit"), variant="primary wide", type="submit"),
        action="/auth/form/reset",
        token_url=TOKEN_URL,
        class_name="form",
    )
    joining = rx.cond(
        EntranceState.setup_token != "", _provider(t("reset.provider", name=EntranceState.provider))
    )
    return _by_link("reset", form, joining)


def _by_link(page: str, form: rx.Component, *more: Any) -> rx.Component:
    """A page that needs the token of the link that leads to it."""
    no_token = rx.el.p(t(f"{page}.no_token"), class_name="notice", role="alert")
    return entrance(
        t(f"{page}.title"),
        rx.el.p(t(f"{page}.intro"), class_name="entrance-intro"),
        *more,
        rx.cond(EntranceState.setup_token != "", form, no_token),
    )


def entrance(title: Any, *content: rx.Component) -> rx.Component:
    """The frame of every page for people who are not signed in."""
    promises = [
        ("hard-drive", "setup.step.local"),
        ("text-quote", "setup.step.sources"),
        ("lock", "setup.step.private"),
    ]
    aside = rx.el.div(
        brand(),
        rx.el.p(t("entrance.tagline"), class_name="entrance-tagline"),
        rx.el.ul(*[rx.el.li(glyph(icon, 17), t(key)) for icon, key in promises], class_name="promises"),
        class_name="entrance-side",
    )
    card = rx.el.div(rx.el.h1(title, class_name="entrance-title"), *content, class_name="entrance-card")
    page = rx.el.main(aside, card, class_name="entrance", id="main")
    waiting = rx.el.main(rx.el.div(skeleton(4), class_name="entrance-card"), class_name="entrance")
    return rx.fragment(
        PageEffects.create(language=BaseState.language, theme="", title=title, away=t("app.away")),
        rx.cond(BaseState.language != "", page, waiting),
    )


def _provider(text: Any) -> Any:
    """The way to the company's sign-in, if there is one: it leaves these pages."""
    link = link_button(text, EntranceState.provider_address, variant="primary wide", icon="log-in")
    return rx.cond(EntranceState.provider != "", link)


def _problem() -> Any:
    text = rx.el.p(EntranceState.problem, class_name="notice error", role="alert")
    return rx.cond(EntranceState.problem != "", text)
