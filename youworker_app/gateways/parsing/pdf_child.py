"""The process that reads a foreign PDF: `python -m …pdf_child <memory bytes> <nice>`, frames on its pipes.

    request  open | texts(first) | picture(number, marks, width, pixels) | metadata     + the file for `open`
    reply    {"error": code} or the result                                              + the PNG for `picture`

It has no environment, writes no file, dumps no core and ends with its parent. An error that is not foreseen ends it;
the parent takes that as the file's fault.
"""

import json
import os
import resource
import signal
import sys
from typing import Any, BinaryIO

from youworker_app.gateways.parsing.pdf_frames import FRAME
from youworker_app.gateways.parsing.pdf_session import PdfSession, SessionError

_TEXT_SECONDS = 0.25


def main() -> None:
    """Gives up its rights, then serves its parent."""
    _lock_down(memory_bytes=int(sys.argv[1]), nice=int(sys.argv[2]))
    serve(sys.stdin.buffer, sys.stdout.buffer)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answers questions about one document until the pipe closes."""
    session: PdfSession | None = None
    while frame := _receive(source):
        request, data = frame
        try:
            if request["do"] == "open":
                session = PdfSession(data)
            reply, out = _answer(session, request)
        except SessionError as error:
            reply, out = {"error": error.code}, b""
        except MemoryError:
            reply, out = {"error": "too_complex"}, b""
        _send(sink, reply, out)


def _answer(session: PdfSession | None, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    if session is None:
        raise SessionError("damaged")
    match request["do"]:
        case "open":
            return {
                "pages": session.page_count,
                "title": session.title(),
                "outline": session.outline(),
                "rescued": session.is_rescued,
            }, b""
        case "texts":
            return {"texts": session.texts(request["first"], seconds=_TEXT_SECONDS)}, b""
        case "metadata":
            return session.metadata(), b""
        case _:
            marks = [(start, end) for start, end in request["marks"]]
            picture = session.picture(
                request["number"], marks, width=request["width"], most_pixels=request["pixels"]
            )
            return {}, picture


def _lock_down(*, memory_bytes: int, nice: int) -> None:
    os.nice(nice)
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # the terminal's Ctrl-C is for the server, which ends its children
    for limit, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        hard = resource.getrlimit(limit)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))


def _receive(source: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    head = source.read(FRAME.size)
    if len(head) < FRAME.size:
        return None
    text_length, data_length = FRAME.unpack(head)
    return json.loads(source.read(text_length)), source.read(data_length)


def _send(sink: BinaryIO, reply: dict[str, Any], data: bytes) -> None:
    text = json.dumps(reply).encode()
    sink.write(FRAME.pack(len(text), len(data)))
    sink.write(text)
    sink.write(data)
    sink.flush()


if __name__ == "__main__":
    main()
