"""Another password: a native form, so that no password travels as an event and the browser's own keeper sees it."""

from typing import Any

import reflex as rx

from youworker_app.accounts.ui.account_state import AccountPageState
from youworker_app.accounts.ui.new_password import new_password_field
from youworker_app.accounts.ui.state import AccountState
from youworker_app.ui.base_state import BaseState
from youworker_app.ui.components.buttons import button
from youworker_app.ui.components.fields import field
from youworker_app.ui.components.sections import section
from youworker_app.ui.react.windows import NativeForm
from youworker_app.ui.words import t


def password_section() -> Any:
    """The section."""
    form = NativeForm.create(
        rx.el.input(type="hidden", name="username", value=AccountState.username, read_only=True),
        field(
            t("account.password.present"),
            "present_password",
            type="password",
            auto_complete="current-password",
            required=True,
        ),
        new_password_field(t("account.password.new"), "new_password", AccountPageState.shortest),
        button(t("account.password.submit"), variant="primary", type="submit"),
        action="/auth/form/password",
        csrf=BaseState.csrf_token,
        class_name="form",
    )
    done = rx.el.p(t("account.password.done"), class_name="notice good", role="status")
    problem = rx.el.p(AccountPageState.problem, class_name="notice error", role="alert")
    own = section(
        t("account.password"),
        rx.cond(AccountPageState.done == "password", done),
        rx.cond((AccountPageState.problem != "") & (AccountPageState.about == ""), problem),
        form,
        intro=t("account.password.intro"),
        anchor="password",
    )
    # Who came by a provider has none to change.
    return rx.cond(AccountState.has_password, own)
