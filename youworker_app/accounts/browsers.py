"""What a browser says of itself, in the words of a person: "Firefox" and "Windows". Never trusted, only shown.

Browsers name the ones that they want to be taken for, so the order of the lists decides.
"""

import re
from typing import Final

from youworker_app.core.names import visible_name

# (mark in the user agent, name). What others pretend to be stands last.
_BROWSERS: Final = (
    ("edg/", "Edge"),
    ("edga/", "Edge"),
    ("edgios/", "Edge"),
    ("opr/", "Opera"),
    ("samsungbrowser/", "Samsung Internet"),
    ("vivaldi/", "Vivaldi"),
    ("firefox/", "Firefox"),
    ("fxios/", "Firefox"),
    ("crios/", "Chrome"),
    ("headlesschrome/", "Chrome"),
    ("chrome/", "Chrome"),
    ("safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("android", "Android"),
    ("cros", "ChromeOS"),
    ("windows", "Windows"),
    ("mac os x", "macOS"),
    ("macintosh", "macOS"),
    ("linux", "Linux"),
)
_PRODUCT: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,30}")


def browser_name(user_agent: str) -> str:
    """The browser's name, else the first word of what it said ("curl"), else nothing."""
    known = _first(_BROWSERS, user_agent)
    if known or not (product := _PRODUCT.match(user_agent)):
        return known
    return visible_name(product.group()) or ""


def system_name(user_agent: str) -> str:
    """The system that it runs on, or nothing."""
    return _first(_SYSTEMS, user_agent)


def _first(marks: tuple[tuple[str, str], ...], user_agent: str) -> str:
    lower = user_agent.lower()
    return next((name for mark, name in marks if mark in lower), "")
