"""Text that a markdown renderer shows exactly as it is: nothing in it acts as markup, and nothing becomes a link.

Pure. `literal` and `quoted` write it, `plain` reads it back.
"""

import re
from collections.abc import Iterator

_LINE_END = re.compile(r"\r\n|\r|\n")
# What begins markup anywhere in a line, in CommonMark and its usual extensions (tables, strike, maths, notes).
_ANYWHERE = re.compile(r"[\\`*_\[\]<>&$~|^]")
# What does so at the start of one: headings, lists, rules, definitions.
_AT_START = re.compile(r"(\d{0,9})([-+=#:.)])")
# Renderers make links of these after they have undone the escapes: only code keeps them as they are. No brackets, so that
# nothing in code looks like a citation. Links that touch are one piece of code: the end of one and the beginning of the
# next would be one longer mark.
_LINK = re.compile(
    r"(?:(?:(?:https?|ftp)://|www\.)[^\s`\[\]]*|(?:mailto|xmpp):[^\s`\[\]]*|[-.+\w]+@[-.\w]+)+",
    re.IGNORECASE,
)
_ITEM = re.compile(r"(?:[-–—*•‣▪◦·]|\(?\w{1,3}[.)])\s")
# What CommonMark takes for white space; Python's `strip` takes more, such as U+0085.
_SPACE = re.compile(r"[\t\n\f\r \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]?")
_WRITTEN = re.compile(r"\\([!-/:-@\[-`{-~])|`([^`\n]*)`|\*\*")


def literal(text: str) -> str:
    """A text on one line; white space at its ends is dropped."""
    return _start_escaped(_inline(" ".join(_LINE_END.split(text)).strip()))


def quoted(text: str, mark: tuple[int, int] | None = None) -> str:
    """A block quotation, line by line, without white space around lines; [start, end) of `mark` in bold.

    A line in which bold could not begin or end there (in the middle of a word) stays plain.
    """
    lines = [_bold(line, *_within(mark, start, len(line))) for start, line in _lines(text)]
    return "\n".join(_with_breaks(lines, [line for _, line in _lines(text)]))


def plain(markdown: str) -> str:
    """What a renderer shows of `literal` and `quoted`, line by line."""
    lines = (line.removeprefix(">").strip() for line in markdown.split("\n"))
    return "\n".join(_WRITTEN.sub(lambda found: found[1] or found[2] or "", line) for line in lines)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for end in _LINE_END.finditer(text):
        yield start, text[start : end.start()]
        start = end.end()
    yield start, text[start:]


def _within(mark: tuple[int, int] | None, start: int, length: int) -> tuple[int, int]:
    left, right = mark or (0, 0)
    return min(max(left - start, 0), length), min(max(right - start, 0), length)


def _bold(line: str, left: int, right: int) -> str:
    marked = line[left:right].strip()
    if not marked:
        return _start_escaped(_inline(line.strip()))
    at = line.index(marked, left)
    before, after = line[:at], line[at + len(marked) :]
    if not _SPACE.fullmatch(before[-1:]) or not _SPACE.fullmatch(after[:1]):
        return _start_escaped(_inline(line.strip()))
    return _start_escaped(f"{_inline(before.lstrip())}**{_inline(marked)}**{_inline(after.rstrip())}")


def _with_breaks(lines: list[str], originals: list[str]) -> Iterator[str]:
    """A renderer joins lines into a paragraph; the items of a list stay on lines of their own."""
    for line, following in zip(lines, [*originals[1:], ""], strict=True):
        is_broken = bool(line) and _ITEM.match(following.lstrip()) is not None
        yield f"> {line}  " if is_broken else f"> {line}".rstrip()


def _inline(text: str) -> str:
    pieces, at = [], 0
    for link in _LINK.finditer(text):
        pieces += [_ANYWHERE.sub(r"\\\g<0>", text[at : link.start()]), f"`{link.group()}`"]
        at = link.end()
    return "".join([*pieces, _ANYWHERE.sub(r"\\\g<0>", text[at:])])


def _start_escaped(line: str) -> str:
    found = _AT_START.match(line)
    return f"{found[1]}\\{line[found.end(1) :]}" if found else line
