import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from youworker_app.agent.markdown import literal, plain, quoted

# Tables and strike-through on, raw HTML on: what would be markup shows as markup.
RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
MARKUP = st.sampled_from(
    [
        *"#*_`[]()<>!&|~$-+=.:\\ \n\r\t1a",
        "**",
        "](http://x)",
        "http://a.b/c?d",
        "www.x.y",
        "a@b.cd",
        "&amp;",
        "<b>",
        "```",
        "  ",
        "    ",
    ]
)
TEXTS = st.lists(MARKUP | st.characters(codec="utf-8"), max_size=30).map("".join)


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]


def shown(markdown: str) -> tuple[str, set[str]]:
    """What a renderer shows, white space left out, and the kinds of markup in it."""
    letters, kinds = [], set()
    for token in RENDERER.parse(markdown):
        kinds.add(token.type)
        for child in token.children or ():
            kinds.add(child.type)
            letters.append(child.content)
    return "".join("".join(letters).split()), kinds


ALLOWED = {
    "blockquote_open",
    "blockquote_close",
    "paragraph_open",
    "paragraph_close",
    "inline",
    "text",
    "softbreak",
    "hardbreak",
    "code_inline",
    "strong_open",
    "strong_close",
}


@given(TEXTS, st.integers(0, 40), st.integers(0, 40))
@example("| a | b |\n|---|---|\n| 1 | 2 |", 0, 0)
@example("1. one\n2) two\n- three\n+ four", 0, 10)
@example("Title\n===\nOther\n---", 0, 0)
@example("```\ncode\n```\n    indented", 0, 0)
@example("a\r# not a heading\rb", 0, 30)
@example("[1]: http://x\n[a][1] ![b](c) [^1]", 0, 0)
@example("ends with a backslash\\ and *", 0, 22)
@example("#\x85#", 0, 1)
@example("a@b.cd+a@b.cd", 0, 0)
def test_a_quotation_shows_the_text_and_nothing_of_it_is_markup(text: str, start: int, end: int) -> None:
    quotation = quoted(text, (start, end))
    assert plain(quotation).split("\n") == lines(text)
    letters, kinds = shown(quotation)
    assert kinds <= ALLOWED
    # A renderer replaces NUL; everything else is shown as it is.
    assert letters == "".join(text.replace("\0", "\ufffd").split())


@given(TEXTS)
def test_a_line_shows_the_text_and_nothing_of_it_is_markup(text: str) -> None:
    line = literal(text)
    assert "\n" not in line
    letters, kinds = shown(line)
    assert kinds <= ALLOWED - {"blockquote_open"}
    assert letters == "".join(text.replace("\0", "\ufffd").split())


@pytest.mark.parametrize(
    ("text", "bold", "expected"),
    [
        ("One. Two. Three.", "Two.", "> One. **Two.** Three."),
        ("One. Two. Three.", "One.", "> **One.** Two. Three."),
        ("One\nTwo three\nFour", "Two three\nFour", "> One\n> **Two three**\n> **Four**"),
        ("No Two.Three", "Two.", "> No Two.Three"),
        ("A\n\nB", "B", "> A\n>\n> **B**"),
        ("List:\n- one\n- two", "- one", "> List:  \n> **- one**  \n> \\- two"),
        ("Cost: 5 * 3 = 15", "", "> Cost: 5 \\* 3 = 15"),
        ("See https://x.y/a_b_c now", "", "> See `https://x.y/a_b_c` now"),
        ("Write to a_b@x.org, now", "", "> Write to `a_b@x.org`, now"),
        ("www. and a@.b", "", "> `www.` and `a@.b`"),
        ("2023. A year", "", "> 2023\\. A year"),
    ],
)
def test_how_it_is_written(text: str, bold: str, expected: str) -> None:
    start = text.index(bold)
    assert quoted(text, (start, start + len(bold))) == expected


def test_without_a_mark_nothing_is_bold() -> None:
    assert quoted("One. Two.") == "> One. Two."
