"""The screens' own rules: who asks comes first in every handler, no words outside of the catalogue, nothing from elsewhere."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import reflex as rx

from youworker_app import youworker_app
from youworker_app.ui.base_state import BaseState

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "youworker_app"
ASSETS = ROOT / "assets"
LONGEST_HANDLER = 15

# Handlers that do not begin by asking who it is, each with its reason. They show nothing but words.
PUBLIC = {
    "EntranceState.open_login": "for people who are nobody yet",
    "EntranceState.open_setup": "for people who are nobody yet",
    "EntranceState.open_reset": "for people who are nobody yet",
    "ErasedState.open": "for people who are nobody any more; shows what their receipt's token opens",
    "ToastState.show_error": "says why asking failed",
    "ToastState.show_failure": "says why asking failed",
}
REFLEXS_OWN = {"setvar"}
SCREENS = sorted(
    path
    for path in [*PACKAGE.glob("ui/**/*.py"), *PACKAGE.glob("*/ui/*.py"), PACKAGE / "youworker_app.py"]
    if "catalogue" not in path.parts
)
SPOKEN = {"aria_label", "title", "placeholder", "alt", "label"}
# Words that are the same in every language: the product's name, and what is typed into a terminal.
SAME_EVERYWHERE = {"YouWorker", "ollama pull llama3.2:3b", "YOUWORKER_LLM_OLLAMA_URL=http://host:11434"}
# Reflex's own ways that run foreign markup, need eval, take files past the access rules, or bring another look.
NOT_USED = (
    "rx.upload",
    "rx.markdown",
    "rx.html",
    "rx.call_script",
    "rx.toast",
    "rx.link",
    "rx.script",
    "rx.download",
)


def states(kind: type[Any] = BaseState) -> Iterator[type[Any]]:
    yield kind
    for each in kind.get_substates():
        yield from states(each)


def handlers() -> dict[str, Any]:
    """Every public handler of the app's states; the app's module has loaded them all."""
    assert youworker_app.app.get_lifespan_tasks()
    return {
        f"{state.__name__}.{name}": handler.fn
        for state in states()
        for name, handler in state.event_handlers.items()
        if name not in REFLEXS_OWN and name in vars(state)
    }


HANDLERS = handlers()


def body_of(function: Any) -> list[ast.stmt]:
    """The statements of a handler, without its docstring."""
    [parsed] = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(parsed, ast.AsyncFunctionDef | ast.FunctionDef)
    return parsed.body[1:] if ast.get_docstring(parsed) else parsed.body


def asks_first(function: Any) -> bool:
    return "self._actor()" in ast.unparse(body_of(function)[0])


@pytest.mark.parametrize("route", sorted(youworker_app.app._unevaluated_pages))
def test_a_page_can_be_made(route: str) -> None:
    """As the build does, which is not part of the quick tests."""
    page = youworker_app.app._unevaluated_pages[route].component
    assert callable(page)
    assert isinstance(page(), rx.Component)


def test_the_handlers_are_found() -> None:
    assert {"ChatState.ask", "DocumentsState.delete", "LiveState.watch", "WorkState.retry"} <= HANDLERS.keys()


@pytest.mark.parametrize("name", sorted(set(HANDLERS) - set(PUBLIC)))
def test_a_handler_begins_with_who_asks(name: str) -> None:
    assert asks_first(HANDLERS[name])


def test_the_list_of_public_handlers_is_not_stale() -> None:
    assert PUBLIC.keys() <= HANDLERS.keys()


def test_a_handler_that_asks_later_would_be_seen() -> None:
    async def late(self: Any) -> None:
        """Does first, asks later."""
        self.done = True
        await self._actor()

    assert not asks_first(late)


@pytest.mark.parametrize("name", sorted(HANDLERS))
def test_a_handler_is_short(name: str) -> None:
    body = body_of(HANDLERS[name])
    assert (body[-1].end_lineno or 0) - body[0].lineno < LONGEST_HANDLER


@pytest.mark.parametrize("path", SCREENS, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_screen_says_nothing_that_is_not_in_the_catalogue(path: Path) -> None:
    assert prose_in(path.read_text(encoding="utf-8")) - SAME_EVERYWHERE == set()


@pytest.mark.parametrize(
    "source", ['rx.el.p("Hello")', 'rx.el.button(aria_label="Close")', 'Menu.create(label="More")']
)
def test_words_in_a_screen_would_be_seen(source: str) -> None:
    assert prose_in(source)


@pytest.mark.parametrize("path", sorted(ASSETS.glob("react/*.jsx")), ids=lambda path: path.name)
def test_a_wrapped_component_says_nothing_of_its_own(path: Path) -> None:
    source = re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    # Text between tags, and spoken attributes that are not an expression.
    assert re.findall(r"<\w[^<>{}=]*>\s*([A-Za-z][^<>{}=;()]*?)\s*</", source) == []
    assert re.findall(r'(?:aria-label|title|placeholder|alt)="[^"]+"', source) == []


@pytest.mark.parametrize("path", SCREENS, ids=lambda path: path.relative_to(PACKAGE).as_posix())
@pytest.mark.parametrize("way", NOT_USED)
def test_a_screen_uses_no_unsafe_way(path: Path, way: str) -> None:
    assert not re.search(rf"{re.escape(way)}\b", path.read_text(encoding="utf-8"))


def test_wrapped_components_run_no_foreign_markup() -> None:
    for path in ASSETS.glob("react/*.js*"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"dangerouslySetInnerHTML|rehype-raw|innerHTML|\beval\(|new Function", source), (
            path.name
        )


def test_nothing_is_loaded_from_another_host() -> None:
    for path in [*ASSETS.rglob("*.css"), *ASSETS.glob("react/*.js*"), *ASSETS.rglob("*.svg")]:
        hosts = set(re.findall(r"https?://([^/\"'\s)]+)", path.read_text(encoding="utf-8")))
        assert hosts <= {"www.w3.org"}, path.name


def test_css_speaks_in_tokens() -> None:
    from_tokens = re.compile(r"(?<![\w-])#[0-9a-fA-F]{3,8}\b|\brgba?\(")
    for path in ASSETS.glob("css/*.css"):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "url(" not in line]
        assert [line.strip() for line in lines if from_tokens.search(line)] in ([], ["background: #fff;"]), (
            path.name
        )


def prose_in(source: str) -> set[str]:
    """Words that a component would show: text children of elements, and spoken attributes."""
    found = set()
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        spoken: list[ast.expr] = [keyword.value for keyword in call.keywords if keyword.arg in SPOKEN]
        if name.startswith("rx.el.") or name.endswith(".create"):
            spoken += call.args
        texts = [
            each.value for each in spoken if isinstance(each, ast.Constant) and isinstance(each.value, str)
        ]
        found |= {text for text in texts if re.search(r"[^\W\d_]", text)}
    return {
        text for text in found if not re.fullmatch(r"[a-z_]+(\.[a-z_0-9]+)+", text)
    }  # keys of the catalogue
