"""Every word of the interface, in every language."""

import importlib
import pkgutil
import re
from pathlib import Path
from string import Formatter

import pytest

import youworker_app
from youworker_app.ui import i18n
from youworker_app.ui.catalogue import it_errors

PACKAGE = Path(youworker_app.__file__).parent
LANGUAGES = sorted(i18n.CATALOGUES)
ENGLISH = i18n.CATALOGUES["en"]
# Keys that are put together at run time: their common beginning, or their end.
COMPOSED = re.compile(
    r"scope\.\w+|documents\.state\.\w+|account\.theme\.\w+|locator\.\w+|chat\.suggest\.\w+\.text"
    r"|(setup|reset)\.(title|intro|no_token)|trail\.(event\.\w+|broken|outcome|kind|resource|detail|code)\.\w+"
)
# Serving modules need an environment; nothing in them raises an error of its own that people read.
NOT_IMPORTED = {"youworker_app.asgi", "youworker_app.__main__"}


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def error_templates() -> dict[str, set[str]]:
    """Every error's English templates by code, from the whole package."""
    for module in pkgutil.walk_packages([str(PACKAGE)], "youworker_app."):
        if module.name not in NOT_IMPORTED:
            importlib.import_module(module.name)
    found: dict[str, set[str]] = {}
    for kind in i18n.error_kinds():
        if kind.__module__.startswith("youworker_app."):
            found.setdefault(kind.code, set()).add(kind.template)
    return found


ERRORS = error_templates()


def screens() -> str:
    """The source of everything that shows words."""
    paths = (path for path in PACKAGE.rglob("*.py") if "ui" in path.parts and "catalogue" not in path.parts)
    return "\n".join(path.read_text(encoding="utf-8") for path in [*paths, PACKAGE / "youworker_app.py"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_texts(language: str) -> None:
    assert i18n.CATALOGUES[language].keys() == ENGLISH.keys()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", sorted(ENGLISH))
def test_a_text_is_there_and_takes_the_same_details(language: str, key: str) -> None:
    text = i18n.CATALOGUES[language][key]
    assert text.strip() == text != ""
    assert placeholders(text) == placeholders(ENGLISH[key])


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    used = set(re.findall(r'"([a-z_]+(?:\.[a-z_0-9]+)+)"', screens()))
    keys = {key for key in ENGLISH if not COMPOSED.fullmatch(key)}
    assert keys - used == set(), "nobody shows these"
    namespaces = {key.partition(".")[0] for key in ENGLISH}
    meant = {key for key in used if key.partition(".")[0] in namespaces and "/" not in key}
    assert meant - set(ENGLISH) == set(), "these are shown but written nowhere"


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_an_error_speaks_italian_with_the_same_details(code: str) -> None:
    italian = it_errors.TEXTS[code]
    assert italian.strip() == italian != ""
    for english in ERRORS[code]:
        assert placeholders(italian) == placeholders(english)


def test_no_italian_error_is_left_over() -> None:
    assert it_errors.TEXTS.keys() <= ERRORS.keys()


def test_a_code_means_one_thing() -> None:
    assert {code: templates for code, templates in ERRORS.items() if len(templates) > 1} == {}


@pytest.mark.parametrize(
    ("preferred", "header", "expected"),
    [
        ("it", "en", "it"),
        ("", "it-IT,it;q=0.9,en;q=0.8", "it"),
        ("", "fr-FR,fr;q=0.9,it;q=0.7,en;q=0.8", "en"),
        ("", "de", "en"),
        ("", "", "en"),
        ("", "it;q=nonsense", "en"),
        ("xx", "it", "it"),
    ],
)
def test_the_language_is_chosen(preferred: str, header: str, expected: str) -> None:
    assert i18n.choose_language(preferred, header) == expected


@pytest.mark.parametrize(
    ("size", "language", "expected"),
    [
        (0, "en", "0 B"),
        (1023, "en", "1023 B"),
        (1536, "en", "1.5 kB"),
        (1536, "it", "1,5 kB"),
        (200 * 1024**2, "it", "200 MB"),
    ],
)
def test_a_size_is_told(size: int, language: str, expected: str) -> None:
    assert i18n.size_text(size, language) == expected


def test_an_error_is_told_in_the_language_or_as_it_came() -> None:
    details = {"limit": 5, "length": 9}
    assert i18n.error_text("it", "QUESTION_TOO_LONG", "…", details).startswith(
        "Questa domanda ha 9 caratteri"
    )
    assert i18n.error_text("en", "QUESTION_TOO_LONG", "as it came", details) == "as it came"
    assert i18n.error_text("it", "UNKNOWN_CODE", "as it came", {}) == "as it came"


def test_a_detail_that_is_missing_breaks_no_sentence() -> None:
    assert i18n.error_by_code("it", "QUESTION_TOO_LONG", {"limit": 5}).startswith(
        "Questa domanda ha ? caratteri"
    )
    assert i18n.error_by_code("it", "UNKNOWN_CODE", {}) == ""
    assert i18n.text("en", "panel.title") == "Source"
    assert i18n.text("xx", "chat.empty.title_name") == "What would you like to know, ??"
