"""`python -m tests.model_server [--port N]`: serves on loopback, and prints `ready URL` when it answers."""

import argparse
import asyncio
import contextlib
import signal
import socket
import sys

import httpx
from granian.constants import Interfaces
from granian.server.embed import Server

from tests.model_server.app import create_app
from youworker_app.core.telemetry import configure_logging


async def main(port: int, *, until_stdin_closes: bool) -> None:
    configure_logging(level="WARNING")
    port = port or _free_port()
    server = Server(create_app(), port=port, interface=Interfaces.ASGI, websockets=False, log_enabled=False)
    serving = asyncio.create_task(server.serve())
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, server.stop)
    # Whoever started it holds the other end: it ends with them, also when they are killed.
    if until_stdin_closes:
        asyncio.get_running_loop().add_reader(sys.stdin, server.stop)
    await _answering(port)
    print(f"ready http://127.0.0.1:{port}", flush=True)
    await serving


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


async def _answering(port: int) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(300):
            with contextlib.suppress(httpx.TransportError):
                (await client.get(f"http://127.0.0.1:{port}/api/version")).raise_for_status()
                return
            await asyncio.sleep(0.1)
    raise SystemExit("the model server does not answer")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--until-stdin-closes", action="store_true")
    given = parser.parse_args()
    asyncio.run(main(given.port, until_stdin_closes=given.until_stdin_closes))
