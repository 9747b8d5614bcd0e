"""Where a browser goes after a form or a sign-in: to a page here, with a code if something went wrong, or on to a provider."""

from collections.abc import Mapping
from html import escape
from typing import Final
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, RedirectResponse, Response

from youworker_app.api.cookies import FORMS_PATH
from youworker_app.core.errors import AppError
from youworker_app.core.refusals import refused

HOME: Final = "/"
LOGIN: Final = "/login"
_LONGEST_NEXT: Final = 1_000
_NOT_KEPT: Final = {"cache-control": "no-store"}


def local_path(wanted: str) -> str:
    """The wanted address if it is a path on this server, else home: a form must not lead to another site."""
    is_path = wanted.startswith("/") and not wanted.startswith("//") and len(wanted) <= _LONGEST_NEXT
    # Browsers read a backslash as a slash and skip control characters.
    is_plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted
    return wanted if is_path and is_plain else HOME


def back_to(page: str, error: AppError, more: Mapping[str, str], *, place: str = "") -> Response:
    """To a page that says what went wrong: the code, and its numbers. `place`: the route, where it is not the page's form."""
    refused(error, place or f"POST {FORMS_PATH}{page}")
    numbers = {name: str(value) for name, value in error.details.items() if isinstance(value, int)}
    return see(f"{page}?{urlencode({'error': error.code, **numbers, **more})}")


def see(address: str) -> Response:
    """303, kept by nobody."""
    return RedirectResponse(address, status_code=303, headers=_NOT_KEPT)


def onwards(address: str) -> Response:
    """To another site at the end of a form, where the policy of our pages lets no redirect lead."""
    target = escape(address)
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>YouWorker</title>'
        f'<meta http-equiv="refresh" content="0; url={target}"></head>'
        f'<body><p><a href="{target}">…</a></p></body></html>'
    )
    return HTMLResponse(page, headers=_NOT_KEPT)
