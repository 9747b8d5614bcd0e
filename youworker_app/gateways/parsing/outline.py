"""Which section a place on a page belongs to, told by the PDF's bookmarks. Pure; the bookmarks are as foreign as the file."""

import re
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass

LONGEST_PATH = 200  # characters
# What is worth a search; a file that is made to cost time has more.
_MOST_ON_PAGE = 50
_LONGEST_SEARCHED = 50_000
_NUMBER = re.compile(r"(?:[\dIVXivx]+[.)])*\d*[.)]?\s+")


@dataclass(frozen=True)
class _Bookmark:
    title: str
    path: str


class Outline:
    """Made of [page, level, title] entries in reading order; what does not look like that is left out."""

    def __init__(self, entries: object) -> None:
        self._on_page: dict[int, list[_Bookmark]] = defaultdict(list)
        above: list[tuple[int, str]] = []
        for page, level, title in filter(_is_entry, entries if isinstance(entries, list) else []):
            above = [step for step in above if step[0] < level] + [(level, title)]
            path = " › ".join(name for _, name in above)[-LONGEST_PATH:]
            self._on_page[page].append(_Bookmark(title, path))
        self._pages = sorted(self._on_page)

    def headings(self, page: int, text: str) -> tuple[tuple[int, str], ...]:
        """Where sections begin in the text of a page, with their paths; at 0 the one that goes on from before."""
        found: list[tuple[int, str]] = []
        if before := self._pages[: bisect_right(self._pages, page - 1)]:
            found.append((0, self._on_page[before[-1]][-1].path))
        offset = 0
        for bookmark in self._on_page.get(page, [])[:_MOST_ON_PAGE]:
            offset = _place(text, bookmark.title, offset)
            found.append((offset, bookmark.path))
        return tuple(found)


def _is_entry(entry: object) -> bool:
    match entry:
        case [int(), int(), str(title)]:
            return bool(title)
    return False


def _place(text: str, title: str, start: int) -> int:
    """Where the heading stands after `start`: best on a line of its own, else anywhere, else at `start`."""
    words = (_NUMBER.sub("", title, count=1) if _NUMBER.match(title) else title).split()
    if not words or len(text) > _LONGEST_SEARCHED:
        return start
    pattern = r"\s+".join(map(re.escape, words))
    own_line = re.compile(rf"^(?:[\w.]{{1,12}}\s+)?{pattern}[ .]*$", re.MULTILINE | re.IGNORECASE)
    if match := own_line.search(text, start) or re.compile(pattern).search(text, start):
        return match.start()
    return start
