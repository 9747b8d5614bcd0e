"""Every event that the product records has a name in each language."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import youworker_app
from youworker_app.audit.schemas import KINDS, READING
from youworker_app.audit.ui.views import action_name
from youworker_app.ui import i18n

PACKAGE = Path(youworker_app.__file__).parent
_WRITERS = {"record", "note", "event"}
_ACTION = re.compile(r"[a-z]+\.[a-z]+(_[a-z]+)*")
# Where an action is put together of a kind and a word.
_KINDS = ("user", "group")


def recorded() -> set[str]:
    """Every action that is written anywhere: given to a writer of the trail, or in the same function as one."""
    return {
        action
        for path in PACKAGE.rglob("*.py")
        if "catalogue" not in path.parts and "ui" not in path.parts
        for action in actions_in(path.read_text(encoding="utf-8"))
    }


def actions_in(source: str) -> Iterator[str]:
    """What a module could record. A module that writes no event is passed over."""
    tree = ast.parse(source)
    if not any(is_writer(node) for node in ast.walk(tree)):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _ACTION.fullmatch(node.value):
            yield node.value
        if isinstance(node, ast.JoinedStr) and len(node.values) == 2:
            ending = str(getattr(node.values[1], "value", ""))
            yield from (f"{kind}{ending}" for kind in _KINDS if _ACTION.fullmatch(f"{kind}{ending}"))


def is_writer(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _WRITERS


ACTIONS = recorded() - {"audit.csv"}


def test_the_actions_are_found() -> None:
    assert {"user.removed", "group.removed", "user.promoted", "session.refused", "request.refused"} <= ACTIONS
    assert READING <= ACTIONS


@pytest.mark.parametrize("language", sorted(i18n.CATALOGUES))
@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_an_action_has_a_name(action: str, language: str) -> None:
    assert action_name(action, language) != action


@pytest.mark.parametrize("language", sorted(i18n.CATALOGUES))
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_what_can_be_broken_is_told_in_words(kind: str, language: str) -> None:
    assert i18n.text(language, f"trail.broken.{kind}")


def test_no_name_is_left_over() -> None:
    named = {
        key.removeprefix("trail.event.") for key in i18n.CATALOGUES["en"] if key.startswith("trail.event.")
    }
    assert named - ACTIONS == set()
