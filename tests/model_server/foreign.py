"""A server that is not Ollama: gives every request the same bytes, or none, and remembers what it was sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Foreign:
    """`requests` holds each request whole, head and body; `connections` counts what they came over."""

    url: str
    requests: list[str] = field(default_factory=list)
    connections: int = 0


@asynccontextmanager
async def foreign(body: bytes | None, *, redirect_to: str = "", late: bytes = b"") -> AsyncIterator[Foreign]:
    """Serves on a free port of loopback; `body` None is silence, `late` its end, which comes a moment after the rest."""
    seen = Foreign("")
    status = f"307 Temporary Redirect\r\nLocation: {redirect_to}" if redirect_to else "200 OK"
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body or b'') + len(late)}\r\n\r\n"

    open_connections: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_connections.append(writer)
        seen.connections += 1
        while first := await reader.readline():
            lines = [first.decode(), *[line.decode() async for line in _head(reader)]]
            length = next((int(line[15:]) for line in lines if line.lower().startswith("content-length:")), 0)
            seen.requests.append("".join(lines) + (await reader.readexactly(length)).decode())
            if body is not None:
                writer.write(head.encode() + body)
                await writer.drain()
            if late:
                await asyncio.sleep(0.02)
                writer.write(late)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    seen.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield seen
    finally:
        server.close()
        for writer in open_connections:
            writer.close()
            await writer.wait_closed()
        await server.wait_closed()


async def _head(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while (line := await reader.readline()).strip():
        yield line


def dead_url() -> str:
    """An address that nobody answers: port 1 of loopback."""
    return "http://127.0.0.1:1"
