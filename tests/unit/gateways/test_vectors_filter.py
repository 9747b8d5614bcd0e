"""The access filter: nobody but access makes one."""

import ast
import copy
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

import youworker_app
from youworker_app.gateways.vectors.protocol import AccessFilter, mint_access_filter

MINT = "mint_access_filter"
PACKAGE = Path(youworker_app.__file__).parent
MAY_NAME_IT = ("access/", "gateways/vectors/protocol.py")


@pytest.mark.parametrize(
    "arguments",
    [(), ({"u:ann"},), (frozenset({"u:ann"}), object())],
    ids=["nothing", "a set", "a set and more"],
)
def test_cannot_be_called_into_being(arguments: tuple[object, ...]) -> None:
    with pytest.raises(TypeError, match="minted by"):
        AccessFilter(*arguments)
    with pytest.raises(TypeError, match="minted by"):
        AccessFilter(visibility=frozenset({"u:ann"}))


def test_cannot_be_widened() -> None:
    minted = mint_access_filter({"u:ann"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        minted.visibility = frozenset({"u:bob"})  # type: ignore[misc]
    with pytest.raises(TypeError, match="minted by"):
        dataclasses.replace(minted, visibility=frozenset({"u:bob"}))
    assert copy.deepcopy(minted) == minted
    assert minted != mint_access_filter({"u:bob"})


def test_empty_is_legal_and_stays_empty() -> None:
    assert mint_access_filter([]).visibility == frozenset()


def test_one_string_is_not_a_collection_of_keywords() -> None:
    with pytest.raises(TypeError, match="not one string"):
        mint_access_filter("u:ann")


def test_empty_keyword() -> None:
    with pytest.raises(ValueError, match="empty"):
        mint_access_filter({"u:ann", ""})


def test_only_access_mints() -> None:
    offenders = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if not str(path.relative_to(PACKAGE)).startswith(MAY_NAME_IT) and MINT in set(names(path))
    }
    assert offenders == set()


def test_the_search_for_minters_finds_one() -> None:
    assert MINT in set(names(PACKAGE / "access" / "vectors.py"))


def names(path: Path) -> Iterator[str]:
    """Every name, attribute, imported name and string of a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
