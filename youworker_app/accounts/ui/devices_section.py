"""Where one is signed in, and the way out from here."""

from typing import Any

import reflex as rx

from youworker_app.accounts.ui.account_state import DevicesState
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.components.buttons import button, glyph
from youworker_app.ui.components.feedback import badge, confirm
from youworker_app.ui.components.sections import row, section
from youworker_app.ui.react.windows import When
from youworker_app.ui.words import t


def devices_section() -> rx.Component:
    """The section."""
    others = button(
        t("account.devices.others"), icon="log-out", variant="secondary", on_click=DevicesState.ask_others
    )
    return section(
        t("account.devices"),
        rx.el.ul(
            rx.foreach(DevicesState.devices, _device), class_name="rows", aria_label=t("account.devices")
        ),
        rx.cond(DevicesState.devices.length() > 1, others),
        confirm(
            DevicesState.asks,
            title=t("account.devices.others.title"),
            text=t("account.devices.others.text"),
            yes=t("account.devices.others.yes"),
            on_yes=DevicesState.sign_out_others,
            on_close=DevicesState.keep_others,
        ),
        intro=t("account.devices.intro"),
    )


def _device(device: Any) -> rx.Component:
    name = rx.cond(device.name != "", device.name, t("account.devices.unknown"))
    facts = rx.fragment(
        rx.cond(device.address != "", rx.fragment(device.address, " · ")),
        t("account.devices.seen"),
        " ",
        When.create(at=device.last_seen_at, language=BaseState.language),
    )
    leave = button(t("account.devices.sign_out"), variant="quiet", on_click=DevicesState.sign_out(device.id))
    return row(
        rx.cond(device.is_phone, glyph("smartphone"), glyph("monitor")),
        name,
        facts,
        badges=rx.cond(device.is_current, badge(t("account.devices.here"), kind="good")),
        actions=rx.cond(device.is_current, rx.fragment(), leave),
        key=device.id,
    )
