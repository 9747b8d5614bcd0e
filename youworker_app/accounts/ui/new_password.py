"""The field for a password that somebody chooses: the same at setup, behind a one-time link and on the account's page."""

from typing import Any

import reflex as rx

from youworker_app.ui.components.fields import field
from youworker_app.ui.words import t


def new_password_field(label: Any, name: str, shortest: Any, **props: Any) -> rx.Component:
    """`shortest`: how many characters it needs."""
    return field(
        label,
        name,
        hint=t("setup.password.hint", n=shortest),
        type="password",
        auto_complete="new-password",
        min_length=shortest,
        required=True,
        **props,
    )
