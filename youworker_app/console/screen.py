"""Words on a terminal: results on standard output, progress on standard error and only where somebody watches.

What comes from files and people is made plain first: a name or a passage must not steer the terminal.
"""

import json
import os
import sys
import textwrap
from typing import Final

_CLEAR: Final = "\r\x1b[K"
_NARROWEST, _WIDEST = 40, 100


def plain(text: str) -> str:
    """The text without control characters and what reorders lines; white space becomes single spaces."""
    return "".join(
        each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in " ".join(text.split())
    )


def columns() -> int:
    """The width to write in, in characters."""
    try:
        found = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        found = _WIDEST
    return max(_NARROWEST, min(found or _WIDEST, _WIDEST))


def paragraph(text: str, *, indent: int, most_lines: int) -> str:
    """The text, plain and wrapped, cut with an ellipsis."""
    margin = " " * indent
    return textwrap.fill(
        plain(text),
        columns(),
        initial_indent=margin,
        subsequent_indent=margin,
        max_lines=most_lines,
        placeholder=" …",
    )


class Screen:
    """Where a command writes. With `as_json` standard output carries JSON alone."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._watched = sys.stderr.isatty()
        self._shown = False

    def progress(self, text: str) -> None:
        """One line that the next replaces; nothing when nobody watches."""
        if self._watched:
            sys.stderr.write(_CLEAR + plain(text)[: columns() - 1])
            sys.stderr.flush()
            self._shown = True

    def clear(self) -> None:
        """Takes the progress away."""
        if self._shown:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()
            self._shown = False

    def line(self, text: str) -> None:
        """A result."""
        self.clear()
        print(text, flush=True)

    def record(self, value: object) -> None:
        """A result for a script: one line of JSON."""
        self.clear()
        print(json.dumps(value), flush=True)

    def note(self, text: str) -> None:
        """A sentence beside the results."""
        self.clear()
        print(text, file=sys.stderr, flush=True)
