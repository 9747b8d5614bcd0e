"""What an actor may find in the index: the keywords of their filter."""

from dataclasses import replace

from youworker_app.access.actor import Actor
from youworker_app.access.vectors import access_filter

ANNA = Actor("anna", "anna", group_ids=frozenset({"sales", "law"}))


def test_ones_own_and_those_of_ones_groups() -> None:
    assert access_filter(ANNA).visibility == {"u:anna", "g:sales", "g:law"}
    assert access_filter(Actor("", "")).visibility == frozenset()


def test_a_key_narrowed_to_groups_finds_what_these_share_alone() -> None:
    key = replace(ANNA, key_line="line", group_ids=frozenset({"sales"}))
    assert access_filter(key).visibility == {"g:sales"}
    assert access_filter(replace(key, group_ids=frozenset())).visibility == frozenset()
