"""What a web origin is: `scheme://host` or `scheme://host:port`, and nothing beside it. Looks nothing up.

Owns the strict reading of origins, of those that an administrator writes and of those that a browser sends. What is not
read is refused with a sentence: an origin that is almost right allows a stranger, or nobody.
"""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_PUNYCODE: Final = "xn--"
_LONGEST_NAME: Final = 253
_LONGEST: Final = 300
_HIGHEST_PORT: Final = 65_535
# Letters that are drawn as Latin ones: a name made of these alone reads as another name.
_LIKE_LATIN: Final = frozenset("асԁеһіјӏорԛѕԝхуъьҽпгѵѡвкмнт" + "αγικνοπρτυχωβεηϲϳ")
# Latin letters that are no letter of ASCII with a mark, and are not drawn as one.
_LATIN_ALONE: Final = frozenset("ßæœøđłþð")
# Scripts that are written together, so that a label of several is an ordinary one.
_WRITTEN_TOGETHER: Final = (
    frozenset({"CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"CJK", "HANGUL"}),
    frozenset({"CJK", "BOPOMOFO"}),
)


class NoOrigin(ValueError):
    """Says in a sentence what is wrong with an origin."""


@dataclass(frozen=True)
class Origin:
    """An origin as browsers send it: lower case, the scheme's own port left out. `host` of IPv6 has its brackets."""

    scheme: str
    host: str
    port: int

    @property
    def netloc(self) -> str:
        """`host`, or `host:port` where that is not the scheme's own."""
        return self.host if self.port == _DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}"


def parse_origin(text: str) -> Origin:
    """Reads an origin. Raises NoOrigin."""
    scheme, separator, rest = text.partition("://")
    if "*" in text:
        raise NoOrigin(
            _said(text, "has a wildcard: pages are answered with a person's cookie, so name each origin")
        )
    if len(text) > _LONGEST or any(not letter.isprintable() or letter.isspace() for letter in text):
        raise NoOrigin(_said(text, "holds spaces or characters that cannot be seen, or is far too long"))
    if not separator or scheme.lower() not in _DEFAULT_PORTS:
        raise NoOrigin(_said(text, "does not begin with http:// or https://"))
    if any(letter in rest for letter in "/\\?#"):
        raise NoOrigin(_said(text, "goes on after the host; leave out the path, a last slash too"))
    if "@" in rest:
        raise NoOrigin(_said(text, "holds a user name; an origin has none"))
    host, port = _split_port(text, rest)
    return Origin(scheme.lower(), _host(text, host), port or _DEFAULT_PORTS[scheme.lower()])


@lru_cache(maxsize=256)
def find_origin(text: str) -> Origin | None:
    """The same for what a browser sent; None for what is no origin, such as `null`."""
    try:
        return parse_origin(text)
    except NoOrigin:
        return None


def _said(text: str, problem: str) -> str:
    return f"{text[:80]!r} {problem}. An origin looks like https://ai.example.it or http://10.0.0.5:8000"


def _split_port(text: str, rest: str) -> tuple[str, int | None]:
    """The host, and the port if one is written."""
    end = rest.rfind("]") + 1
    host, colon, digits = rest[:end], rest[end : end + 1], rest[end + 1 :]
    if not end:
        host, colon, digits = rest.partition(":")
    if not colon:
        return host, None
    is_number = digits.isascii() and digits.isdecimal() and digits == digits.lstrip("0")
    if colon != ":" or not is_number or not 1 <= int(digits[:6]) <= _HIGHEST_PORT:
        raise NoOrigin(_said(text, f"has a port that is not a number from 1 to {_HIGHEST_PORT}"))
    return host, int(digits)


def _host(text: str, host: str) -> str:
    if host.startswith("["):
        try:
            if "%" in host or not host.endswith("]"):
                raise ValueError
            return f"[{ipaddress.IPv6Address(host[1:-1])}]"
        except ValueError:
            raise NoOrigin(_said(text, "has an IPv6 address that cannot be read")) from None
    if not host.isascii():
        raise NoOrigin(_said(text, _beyond_ascii(host)))
    name = host.lower()
    labels = name.split(".")
    if len(name) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise NoOrigin(_said(text, "has a host that is no name and no address"))
    # Browsers read 127.1, 0x7f.1 and 2130706433 as addresses: whatever ends in a number has to be a whole one.
    if labels[-1].isdigit() or labels[-1].startswith("0x"):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise NoOrigin(_said(text, "has an IPv4 address that cannot be read")) from None
    for label in labels:
        _check_label(text, label)
    return name


def _beyond_ascii(host: str) -> str:
    """What is wrong with a name that is written in other letters, with the way to write it if it has one."""
    try:
        written = host.lower().encode("idna").decode()
        for label in written.split("."):
            _check_label(host, label)
    except (UnicodeError, NoOrigin):
        return "has letters that look like others; a name that can be taken for another one is not an origin"
    return f"has letters that browsers send in another form; write {written}"


def _check_label(text: str, label: str) -> None:
    """Raises NoOrigin for a label in other letters that can be taken for another one."""
    if not label.startswith(_PUNYCODE):
        return
    try:
        shown = label.removeprefix(_PUNYCODE).encode().decode("punycode")
        is_same = _PUNYCODE + shown.encode("punycode").decode() == label
    except UnicodeError:
        shown, is_same = "", False
    if not is_same or shown.isascii() or unicodedata.normalize("NFKC", shown).lower() != shown:
        raise NoOrigin(_said(text, "has a part with xn-- that cannot be read"))
    if _can_be_taken_for_another(shown):
        raise NoOrigin(
            _said(text, "has letters that look like others, so that it can be taken for another name")
        )


def _can_be_taken_for_another(label: str) -> bool:
    letters = [letter for letter in label if letter not in "0123456789-_"]
    if not all(unicodedata.category(letter)[0] in "LM" for letter in letters):
        return True
    scripts = {_script(letter) for letter in letters if unicodedata.category(letter)[0] == "L"}
    if len(scripts) > 1 and not any(scripts <= together for together in _WRITTEN_TOGETHER):
        return True
    if scripts == {"LATIN"}:
        return not all(_is_plain_latin(letter) for letter in letters)
    return all(letter in _LIKE_LATIN for letter in letters)


def _script(letter: str) -> str:
    """The first word of a letter's name is its script."""
    return unicodedata.name(letter, "UNKNOWN").split()[0].partition("-")[0]


def _is_plain_latin(letter: str) -> bool:
    if letter in _LATIN_ALONE:
        return True
    parts = unicodedata.normalize("NFD", letter)
    return parts[0].isascii() and all(unicodedata.category(mark) == "Mn" for mark in parts[1:])
