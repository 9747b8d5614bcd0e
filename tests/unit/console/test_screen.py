"""What commands write: plain, and progress only where somebody watches."""

import io
import json
import sys

import pytest

from youworker_app.console.screen import Screen, paragraph, plain


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", "a\N{REPLACEMENT CHARACTER}[2Jb"),
        ("a\nb\t c", "a b c"),
        ("a\u202egpj.exe", "a\N{REPLACEMENT CHARACTER}gpj.exe"),
        ("perché no", "perché no"),
    ],
)
def test_what_comes_from_files_does_not_steer_the_terminal(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_long_passage_is_cut() -> None:
    shown = paragraph("word " * 500, indent=4, most_lines=3)
    assert len(shown.splitlines()) == 3
    assert shown.endswith("…")
    assert all(line.startswith("    ") for line in shown.splitlines())


def test_progress_is_for_who_watches(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    screen.progress("sending")
    screen.line("ready")
    assert capsys.readouterr() == ("ready\n", "")


def test_progress_goes_when_a_result_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    screen = Screen()
    screen.progress("sending a\x1b[1m.txt")
    screen.note("done")
    assert shown.getvalue() == "\r\x1b[Ksending a\N{REPLACEMENT CHARACTER}[1m.txt\r\x1b[Kdone\n"


def test_a_record_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(as_json=True).record({"file": "a\nb\x1b"})
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert "\x1b" not in line
    assert json.loads(line) == {"file": "a\nb\x1b"}
