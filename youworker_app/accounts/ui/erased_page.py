"""`/erased?receipt=…`: what was destroyed, for whoever was just here."""

from typing import Any

import reflex as rx

from youworker_app.accounts.ui.erased_state import ErasedState
from youworker_app.accounts.ui.page import entrance
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.components.buttons import link_button
from youworker_app.ui.react.windows import When
from youworker_app.ui.words import t


def erased_page() -> rx.Component:
    """The page."""
    receipt = ErasedState.receipt
    is_done = receipt.erased_at != ""
    unknown = rx.el.p(t("erased.unknown"), class_name="notice", role="alert")
    known = rx.fragment(
        rx.el.p(rx.cond(is_done, t("erased.text"), t("erased.wait")), class_name="entrance-intro"),
        rx.cond(is_done, _receipt()),
    )
    title = rx.cond(is_done, t("erased.title"), t("erased.running"))
    return entrance(title, rx.cond(receipt.id != "", known, unknown))


def _receipt() -> rx.Component:
    receipt = ErasedState.receipt
    facts: list[tuple[Any, Any]] = [
        (t("erased.number"), receipt.id),
        (t("erased.begun"), _when(receipt.started_at)),
        (t("erased.rows"), _when(receipt.erased_at)),
        (t("erased.bytes"), rx.cond(receipt.finished_at != "", _when(receipt.finished_at), t("erased.soon"))),
        (t("erased.keys"), receipt.key_count),
    ]
    address = "/v1/erasures/" + ErasedState.token
    return rx.fragment(
        rx.el.dl(
            *[each for name, value in facts for each in (rx.el.dt(name), rx.el.dd(value))],
            rx.foreach(
                ErasedState.gone, lambda each: rx.fragment(rx.el.dt(each.table), rx.el.dd(each.count))
            ),
            class_name="facts",
        ),
        rx.el.div(
            link_button(
                t("erased.as_text"), address + "?format=text&language=" + BaseState.language, icon="file-text"
            ),
            link_button(t("erased.as_json"), address, icon="braces"),
            class_name="dialog-actions",
        ),
    )


def _when(at: Any) -> rx.Component:
    return When.create(at=at, language=BaseState.language)
