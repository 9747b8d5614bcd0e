"""Rates that several servers count together, on a real Redis: one count, and nobody is stopped when it is away."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.product import free_port
from youworker_app.core.errors import TooManyRequests
from youworker_app.core.rates import Cost, RateLimits
from youworker_app.core.settings import LimitSettings

SERVER = shutil.which("redis-server")
pytestmark = pytest.mark.skipif(
    SERVER is None, reason="Redis is not on this machine: apt-get install redis-server"
)


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The URL of a private Redis, and its process."""
    port = free_port()
    options = [
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(tmp_path),
        "--loglevel",
        "warning",
    ]
    process = subprocess.Popen([str(SERVER), *options], stdout=subprocess.DEVNULL)
    try:
        _await_port(port)
        yield f"redis://127.0.0.1:{port}/0", process
    finally:
        process.terminate()
        process.wait(30)


def _await_port(port: int) -> None:
    end = time.monotonic() + 30
    while True:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < end
        time.sleep(0.02)


async def refused(limits: RateLimits, who: str = "u:1") -> int:
    try:
        await limits.charge(Cost.CHAT, who)
    except TooManyRequests as error:
        return int(error.details["retry_after_s"] or 0)
    return 0


async def test_two_servers_count_together(redis: tuple[str, subprocess.Popen[bytes]]) -> None:
    settings = LimitSettings(chat=2, redis_url=redis[0])
    one, other = RateLimits(settings), RateLimits(settings)
    try:
        assert [await refused(one), await refused(other)] == [0, 0]
        assert 1 <= await refused(one) <= 61
        assert 1 <= await refused(other) <= 61
        assert not await refused(other, "u:2")
    finally:
        await one.close()
        await other.close()


async def test_a_redis_that_is_away_stops_nobody_and_each_counts_alone(
    redis: tuple[str, subprocess.Popen[bytes]],
) -> None:
    now = [1_000.0]
    limits = RateLimits(LimitSettings(chat=2, redis_url=redis[0]), lambda: now[0])
    try:
        assert not await refused(limits)
        redis[1].kill()
        redis[1].wait(30)
        assert not await refused(limits)
        assert not await refused(limits)
        assert await refused(limits)  # here it was counted twice by now
        now[0] += 11
        assert await refused(limits)  # asked anew, and away still
    finally:
        await limits.close()
