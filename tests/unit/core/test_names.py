"""Names: one form, nothing hidden, one key to compare by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from youworker_app.core.names import is_plain_text, name_key, visible_name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("anna", "anna"),
        ("  Anna   Rossi ", "Anna Rossi"),
        ("Ａｎｎａ", "Anna"),
        ("Ada\u00a0B", "Ada B"),
        ("Zoe\u0301", "Zoé"),
        ("山田", "山田"),
        ("a.b@c-d_e", "a.b@c-d_e"),
    ],
)
def test_the_form_that_is_kept(raw: str, name: str) -> None:
    assert visible_name(raw) == name


@pytest.mark.parametrize(
    "raw",
    [
        "", " ", "\u00a0", "...", "\u0301a", "a\0b", "a\nb", "a\tb", "a\u202eb", "a\u200bb", "a\u2066b", "a\ufeffb",
        "a\u3164b", "\u2800", "a\u2800", "a\ufe0fb", "a\U000e0100b", "a\ud800b", "a\ue000b", "a\u2028b", "a\u00adb",
        "a\U000e0041b", "a\u034fb",
    ],
)  # fmt: skip
def test_nothing_hidden_passes(raw: str) -> None:
    assert visible_name(raw) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("Anna", "ANNA"), ("straße", "STRASSE"), ("Zoé", "ZOE\u0301"), ("ﬁona", "Fiona"), ("ΣΑΣ", "σας")],
)
def test_one_key_for_names_that_look_alike(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@given(st.text(max_size=64))
def test_the_form_is_stable(raw: str) -> None:
    name = visible_name(raw)
    if name is not None:
        assert visible_name(name) == name
        assert is_plain_text(name)
        assert name_key(name_key(name)) == name_key(name)
        assert len(name_key(name)) <= 2 * len(name)


@pytest.mark.parametrize(
    ("text", "plain"), [("a\nb", True), ("a\0", False), ("\udfff", False), ("é\U0001f600", True)]
)
def test_what_a_database_can_keep(text: str, plain: bool) -> None:
    assert is_plain_text(text) is plain
