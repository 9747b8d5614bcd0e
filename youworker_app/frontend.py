"""What happens to the built front end, and where it lies.

Owns the post-processing of a build: the back end's address becomes the page's own origin, and the hashes of inline
scripts are written beside the build for the Content-Security-Policy. It must not know a page.
"""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Unpack

from reflex_base.plugins import Plugin
from reflex_base.plugins.base import PostBuildContext

# Baked into the build as the back end's address, then rewritten. `.invalid` never resolves, should one be missed.
PLACEHOLDER_ORIGIN = "http://origin.invalid"

PROJECT_ROOT = Path(__file__).resolve().parent.parent
BUILD_DIR = PROJECT_ROOT / ".web" / "build"
SCRIPT_HASHES = BUILD_DIR / "script-hashes.json"

_HOST = PLACEHOLDER_ORIGIN.removeprefix("http://")
_LITERAL = re.compile(
    rf"(?P<quote>[\"'`])(?P<scheme>http|ws)://{re.escape(_HOST)}(?P<path>[\w/-]*)(?P=quote)"
)


class FrontendPlugin(Plugin):
    """Runs after each production build of the front end."""

    def post_build(self, **context: Unpack[PostBuildContext]) -> None:
        """Rewrites the back end's address in every script and records the inline scripts' hashes.

        Raises RuntimeError when a built file still names the placeholder: such a page could not reach its server.
        """
        static_dir = context["static_dir"]
        for script in static_dir.rglob("*.js"):
            text = script.read_text(encoding="utf-8")
            if _HOST in text:
                script.write_text(use_own_origin(text), encoding="utf-8")
        _refuse_leftovers(static_dir)
        hashes = sorted(
            {h for page in static_dir.rglob("*.html") for h in script_hashes(page.read_text("utf-8"))}
        )
        (static_dir.parent / SCRIPT_HASHES.name).write_text(json.dumps(hashes, indent=1), encoding="utf-8")


def use_own_origin(script: str) -> str:
    """The script with each literal back-end address replaced by an expression on the page's own origin."""

    def expression(found: re.Match[str]) -> str:
        origin = "location.origin" if found["scheme"] == "http" else 'location.origin.replace(/^http/,"ws")'
        return f'({origin}+"{found["path"]}")'

    return _LITERAL.sub(expression, script)


def script_hashes(page: str) -> list[str]:
    """The `sha256-…` sources of a page's inline scripts, in order, as Content-Security-Policy writes them."""
    parser = _InlineScripts()
    parser.feed(page)
    parser.close()
    return [
        "sha256-" + base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in parser.scripts
    ]


def read_script_hashes(path: Path = SCRIPT_HASHES) -> tuple[str, ...]:
    """The recorded hashes; none when nothing has been built yet."""
    if not path.exists():
        return ()
    return tuple(json.loads(path.read_text(encoding="utf-8")))


def _refuse_leftovers(static_dir: Path) -> None:
    for path in static_dir.rglob("*"):
        if path.is_file() and _HOST.encode() in path.read_bytes():
            raise RuntimeError(f"The back end's placeholder address was left in {path.name}.")


class _InlineScripts(HTMLParser):
    """Collects the text of script elements without src; data blocks need no hash and are left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.scripts: list[str] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        runs = named.get("type") in (None, "", "module", "text/javascript", "importmap")
        self._open = tag == "script" and "src" not in named and runs
        if self._open:
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self._open:
            self.scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._open = False
