"""What is kept of one: the parts of the account's page about one's own data, and the end of the account."""

from typing import Any

import reflex as rx

from youworker_app.accounts.ui.account_state import AccountPageState
from youworker_app.accounts.ui.state import AccountState
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.components.buttons import button
from youworker_app.ui.components.fields import field
from youworker_app.ui.components.sections import part, section
from youworker_app.ui.react.windows import NativeForm
from youworker_app.ui.words import t


def data_section(*parts: Any) -> rx.Component:
    """The section with the parts that it is given."""
    return section(t("data.title"), *parts, intro=t("data.intro"), anchor="data")


def erase_part() -> rx.Component:
    """The end of the account: a native form, so that no password travels as an event and a plain answer signs out."""
    problem = rx.el.p(AccountPageState.problem, class_name="notice error", role="alert")
    form = NativeForm.create(
        rx.cond((AccountPageState.problem != "") & (AccountPageState.about == "erase"), problem),
        # Whoever comes back to what was wrong is led there: it stands far down the page.
        rx.cond(
            AccountPageState.about == "erase", _confirmation(auto_focus=True, key="again"), _confirmation()
        ),
        rx.cond(
            AccountState.has_password,
            field(
                t("data.erase.password"),
                "erase_password",
                type="password",
                auto_complete="current-password",
                required=True,
            ),
            rx.el.p(t("data.erase.fresh"), class_name="hint"),
        ),
        button(t("data.erase.submit"), variant="danger", type="submit"),
        action="/auth/form/erase",
        csrf=BaseState.csrf_token,
        class_name="form",
    )
    goes = ("data.erase.goes", "data.erase.groups", "data.erase.alone", "data.erase.stays")
    fold = rx.el.details(
        rx.el.summary(t("data.erase.begin"), class_name="button secondary grave"),
        rx.el.ul(*[rx.el.li(t(key)) for key in goes], class_name="told"),
        form,
        class_name="fold",
        open=AccountPageState.about == "erase",
    )
    return part(t("data.erase"), t("data.erase.intro"), fold, is_grave=True, anchor="erase")


def _confirmation(**props: Any) -> rx.Component:
    label = t("data.erase.confirm", name=AccountState.username)
    return field(label, "confirmation", auto_complete="off", required=True, **props)
