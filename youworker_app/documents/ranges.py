"""Conditional and partial requests for one file (RFC 9110, sections 13 and 14): pure text in, decisions out."""

import re

_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(\d{0,19})[ \t]*-[ \t]*(\d{0,19})[ \t]*", re.ASCII | re.IGNORECASE)
_TAG = re.compile(r'(?:W/)?("[^"]*")')


def matches(header: str | None, etag: str) -> bool:
    """Whether an If-None-Match header names this ETag (weak comparison)."""
    if not header:
        return False
    return header.strip() == "*" or etag in _TAG.findall(header)


def wanted_range(header: str | None, if_range: str | None, *, etag: str, size: int) -> tuple[int, int] | None:
    """The bytes [start, end) that a Range header asks for; None: the whole file.

    A header that is not understood, asks for several ranges, or depends on another version of the file is no range. A
    range outside of the file comes back as it was asked for, with `start` at or past `size`.
    """
    if header is None or (if_range is not None and if_range.strip() != etag):
        return None
    found = _RANGE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        length = int(found[2])
        return (max(size - length, 0), size) if length else (size, size)
    start = int(found[1])
    end = int(found[2]) + 1 if found[2] else size
    if found[2] and end <= start:
        return None
    return start, max(min(end, size), start)
