"""What the wrapped components share: where their sources lie, and the shapes of their events."""

from typing import Any

import reflex as rx

SOURCES = "$/public/react"


class LocalComponent(rx.Component):
    """A component of assets/react. Subclasses name `library`, `tag` and their props."""


def no_arguments() -> list[Any]:
    """An event that carries nothing."""
    return []


def one_text(value: rx.Var[str]) -> list[rx.Var[str]]:
    """An event that carries one text."""
    return [value]


def one_number(value: rx.Var[int]) -> list[rx.Var[int]]:
    """An event that carries one number."""
    return [value]


def two_texts(first: rx.Var[str], second: rx.Var[str]) -> list[rx.Var[str]]:
    """An event that carries two texts."""
    return [first, second]
