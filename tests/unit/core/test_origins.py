"""Origins are read strictly: what is almost one stops the start with a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from youworker_app.core.origins import NoOrigin, find_origin, parse_origin
from youworker_app.core.settings import ServerSettings, what_is_wrong


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("https://ai.example.it", "https://ai.example.it"),
        ("HTTPS://AI.Example.IT", "https://ai.example.it"),
        ("https://ai.example.it:443", "https://ai.example.it"),
        ("http://ai.example.it:80", "http://ai.example.it"),
        ("http://ai.example.it:443", "http://ai.example.it:443"),
        ("https://ai.example.it:8443", "https://ai.example.it:8443"),
        ("https://ai.example.it:65535", "https://ai.example.it:65535"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://ai_server", "http://ai_server"),
        ("http://10.0.0.5:8000", "http://10.0.0.5:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://[2001:DB8:0::1]", "http://[2001:db8::1]"),
        ("https://xn--citt-3na.example.it", "https://xn--citt-3na.example.it"),
        ("https://xn--wgv71a119e.example", "https://xn--wgv71a119e.example"),  # three characters of Japanese
        (
            "https://xn--e1afmkfd.example",
            "https://xn--e1afmkfd.example",
        ),  # Cyrillic that reads as no Latin word
    ],
)
def test_an_origin_is_read_as_browsers_send_it(text: str, canonical: str) -> None:
    assert str(parse_origin(text)) == canonical
    assert parse_origin(canonical) == parse_origin(text)


WRONG = [
    ("", "begin"),
    ("null", "begin"),
    ("ai.example.it", "begin"),
    ("//ai.example.it", "begin"),
    ("ftp://ai.example.it", "begin"),
    ("javascript://ai.example.it", "begin"),
    ("https:/ai.example.it", "begin"),
    ("*", "wildcard"),
    ("https://*", "wildcard"),
    ("https://*.example.it", "wildcard"),
    ("https://ai.example.it/", "path"),
    ("https://ai.example.it/path", "path"),
    ("https://ai.example.it?x", "path"),
    ("https://ai.example.it#x", "path"),
    ("https://ai.example.it\\evil.example", "path"),
    ("https://user:word@ai.example.it", "user name"),
    ("https://ai.example.it@evil.example", "user name"),
    ("https://ai.example.it:0", "port"),
    ("https://ai.example.it:65536", "port"),
    ("https://ai.example.it:", "port"),
    ("https://ai.example.it:0443", "port"),
    ("https://ai.example.it:-1", "port"),
    ("https://ai.example.it:4 43", "spaces"),
    ("https://ai.example.it:４４３", "port"),
    ("https://ai.example.it:" + "9" * 100, "port"),
    ("http://[::1]8000", "port"),
    (" https://ai.example.it", "spaces"),
    ("https://ai.example.it\u200b", "cannot be seen"),
    ("https://ai.example.it\r\nX: 1", "cannot be seen"),
    ("https://" + "a." * 300 + "it", "too long"),
    ("https://", "no name"),
    ("https://.example.it", "no name"),
    ("https://ai..example.it", "no name"),
    ("https://ai.example.it.", "no name"),
    ("https://-ai.example.it", "no name"),
    ("https://ai%2eexample.it", "no name"),
    ("https://" + "a" * 64 + ".it", "no name"),
    ("https://a.it,https://b.it", "path"),
    ("http://127.1", "IPv4"),
    ("http://2130706433", "IPv4"),
    ("http://0x7f.1", "IPv4"),
    ("http://127.0.0.0x1", "IPv4"),
    ("http://256.0.0.1", "IPv4"),
    ("http://[::1", "port"),
    ("http://[::1%25eth0]", "IPv6"),
    ("http://[fe80::1%eth0]", "IPv6"),
    ("http://::1", "port"),
]


@pytest.mark.parametrize(("text", "problem"), WRONG)
def test_what_is_almost_an_origin_is_told(text: str, problem: str) -> None:
    with pytest.raises(NoOrigin) as refused:
        parse_origin(text)
    assert problem in str(refused.value)
    assert find_origin(text) is None


LOOKALIKES = [
    "https://аррӏе.com",  # all Cyrillic
    "https://xn--80ak6aa92e.com",  # the same as browsers send it
    "https://xn--pypal-4ve.com",  # one Cyrillic letter among Latin ones
    "https://xn--ggle-55da.com",  # two
    "https://xn--mxaxgy.example",  # all Greek, drawn as Latin
    "https://xn--an-jgb.example",  # a Latin letter of its own that is drawn as another
    "https://ai․example.it",  # a character that is drawn as a full stop
    "https://ai。example.it",  # one that browsers read as a full stop
    "https://ａi.example.it",
    "https://xn--a.example",
    "https://xn--.example",
    "https://xn--abc-.example",  # nothing but ASCII in disguise
    "https://xn--ls8h.example",  # a picture
]


@pytest.mark.parametrize("text", LOOKALIKES)
def test_a_name_that_looks_like_another_is_refused(text: str) -> None:
    with pytest.raises(NoOrigin):
        parse_origin(text)


def test_an_honest_name_in_other_letters_is_told_how_to_write_it() -> None:
    with pytest.raises(NoOrigin, match=r"write xn--citt-3na\.example\.it"):
        parse_origin("https://città.example.it")


@given(
    st.text(max_size=60) | st.text("htps:/.[]@#?*:0123456789abx-_%\\", max_size=60).map("https://".__add__)
)
def test_whatever_is_read_stays_what_it_is(text: str) -> None:
    origin = find_origin(text)
    if origin is not None:
        assert find_origin(str(origin)) == origin
        assert str(origin).isascii()
        assert str(origin) == str(origin).lower()


# As a list in the environment can hold them.
WRITABLE = [wrong for wrong, _ in WRONG if wrong and wrong.strip() == wrong and "," not in wrong]


@pytest.mark.parametrize("text", [*WRITABLE, *LOOKALIKES])
def test_it_stops_the_start_with_a_sentence(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("YOUWORKER_SERVER_PUBLIC_ORIGINS", f"https://good.example.it,{text}")
    with pytest.raises(ValidationError) as refused:
        ServerSettings()
    told = what_is_wrong(refused.value)
    assert told.startswith("YOUWORKER_SERVER_PUBLIC_ORIGINS: ")
    assert "An origin looks like https://" in told


def test_settings_hold_each_origin_once_as_browsers_send_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUWORKER_SERVER_PUBLIC_ORIGINS", "HTTPS://AI.example.it:443, https://ai.example.it")
    assert ServerSettings().public_origins == ("https://ai.example.it",)
