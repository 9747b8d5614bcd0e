"""The page's own scripts, run by the Node that builds them: cutting a growing answer, and reading its events."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REACT = Path(__file__).resolve().parents[3] / "assets" / "react"
NODE = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")


TEXTS = [
    "One paragraph.\n\nAnother one [1].\n\n- a\n- b\n\n- c\n\nEnd.",
    "```python\n\nx = 1\n\n```\n\nafter",
    "~~~\n```\n\n~~~~\n\nafter",
    "1. one\n\n   still one\n\n2. two\n\ntext",
    "never closed\n\n```\na\n\nb\n\nc",
    "| a | b |\n| - | - |\n| 1 | 2 |\n\nafter\n",
    "\n\n\nlate start\r\n\r\nwindows lines\r\n",
    "",
]


def node(module: str, script: str) -> Any:
    """What `script` prints as JSON, with the module's exports as `m`."""
    source = f"import * as m from {json.dumps((REACT / module).as_uri())};\n{script}"
    assert NODE is not None, "Node comes as a wheel: make build"
    done = subprocess.run(
        [NODE, "--no-warnings", "--input-type=module", "-e", source],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("text", TEXTS)
def test_cutting_loses_nothing_and_settled_blocks_stay(text: str) -> None:
    grown = node(
        "blocks.js",
        f"""
        const text = {json.dumps(text)};
        const splitter = new m.BlockSplitter();
        let before = [], steady = true, whole = true;
        for (let end = 0; end <= text.length; end++) {{
          const {{ settled, tail }} = splitter.update(text.slice(0, end));
          steady &&= before.every((block, index) => settled[index] === block);
          whole &&= settled.join("") + tail === text.slice(0, end);
          before = [...settled];
        }}
        console.log(JSON.stringify({{ steady, whole }}));
        """,
    )
    assert grown == {"steady": True, "whole": True}


def test_blocks_are_cut_where_they_end() -> None:
    blocks = [
        node("blocks.js", f"console.log(JSON.stringify(m.splitBlocks({json.dumps(text)})))") for text in TEXTS
    ]
    assert [len([block for block in each if block.strip()]) for each in blocks] == [4, 2, 2, 2, 2, 2, 2, 0]


def test_a_text_with_link_definitions_stays_in_one_piece() -> None:
    text = "See [this][a].\n\nMore.\n\n[a]: https://example.org\n"
    assert node("blocks.js", f"console.log(JSON.stringify(m.splitBlocks({json.dumps(text)})))") == [text]


@pytest.mark.parametrize(
    ("tail", "fence", "expected"),
    [
        ("The period is **three", False, "The period is **three**"),
        ("The period **three months**", False, "The period **three months**"),
        ("use `make ru", False, "use `make ru`"),
        ("see [the book](https://exa", False, "see the book"),
        ("three months [1", False, "three months "),
        ("three months [1]", False, "three months [1]"),
        ("```\n**x", True, "```\n**x"),
    ],
)
def test_a_half_written_end_is_shown_sensibly(tail: str, fence: bool, expected: str) -> None:
    script = f"console.log(JSON.stringify(m.mendTail({json.dumps(tail)}, {json.dumps(fence)})))"
    assert node("blocks.js", script) == expected


def frame(number: int, name: str, **data: Any) -> str:
    return f"id: {number}\nevent: {name}\ndata: {json.dumps(data)}\n\n"


def streamed(*connections: list[str]) -> Any:
    """What a run's stream holds in the end, and what each connection was asked for."""
    return node(
        "stream.js",
        f"""
        const connections = {json.dumps(connections)};
        const asked = [];
        globalThis.window = {{ addEventListener() {{}}, removeEventListener() {{}} }};
        globalThis.fetch = async (url, options) => {{
          asked.push(options.headers["Last-Event-ID"] ?? "");
          const pieces = connections[asked.length - 1];
          if (!pieces) return new Response("", {{ status: 404 }});
          return new Response(new ReadableStream({{
            async start(controller) {{
              for (const piece of pieces) {{
                if (piece === "cut") return controller.error(new Error("cut"));
                controller.enqueue(new TextEncoder().encode(piece));
                await new Promise((resolve) => setTimeout(resolve, 5));
              }}
              controller.close();
            }},
          }}));
        }};
        const run = m.runStream("run");
        const over = new Promise((resolve) => run.subscribe(() => run.snapshot().over && resolve()));
        await over;
        console.log(JSON.stringify({{ ...run.snapshot(), asked }}), );
        process.exit(0);
        """,
    )


def test_a_stream_is_read_to_its_end() -> None:
    text = (
        frame(1, "session") + frame(2, "citations", citations=[{"n": 1}]) + frame(3, "thinking", text="Hm. ")
    )
    done = streamed(
        [
            text,
            ": still there\n\n",
            frame(4, "token", text="Tre "),
            frame(5, "token", text="mesi."),
            frame(6, "done"),
        ]
    )
    assert (done["text"], done["thinking"], done["citations"], done["asked"]) == (
        "Tre mesi.",
        "Hm. ",
        [{"n": 1}],
        [""],
    )


def test_a_broken_connection_is_taken_up_where_it_was() -> None:
    first = [frame(1, "session"), frame(2, "token", text="a"), frame(3, "token", text="b")[:12], "cut"]
    second = [
        frame(2, "token", text="a"),
        frame(3, "token", text="b"),
        frame(4, "token", text="c"),
        frame(5, "done"),
    ]
    done = streamed(first, second)
    assert (done["text"], done["asked"]) == ("abc", ["", "2"])


def test_a_stream_that_just_ends_is_asked_again() -> None:
    done = streamed([frame(1, "token", text="a")], [frame(2, "token", text="b"), frame(3, "done")])
    assert (done["text"], done["asked"]) == ("ab", ["", "1"])


def test_a_rebuilt_stream_starts_over() -> None:
    first = [frame(1, "session"), *(frame(n, "token", text="x") for n in range(2, 9)), "cut"]
    opening = frame(1, "session") + frame(2, "reset") + frame(3, "citations", citations=[])
    second = [opening, frame(4, "token", text="whole"), frame(5, "done")]
    assert streamed(first, second)["text"] == "whole"


def test_letters_cut_by_the_wire_are_put_together() -> None:
    data = frame(1, "token", text="perché è così")
    done = streamed([data[:30], data[30:31], data[31:], frame(2, "done")])
    assert done["text"] == "perché è così"


def test_who_may_not_see_a_run_stops_asking() -> None:
    done = streamed()
    assert (done["text"], done["over"], done["asked"]) == ("", True, [""])
