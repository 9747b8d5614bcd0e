"""The launcher: `python -m youworker_app.serve` checks what must be there, then serves until a signal comes.

It imports neither Reflex nor a domain: the worker does, after the environment is set here. The supervisor lives as long
as the server and does next to nothing, so it holds only what it needs; the settings are read by a child.
"""

import ctypes
import gc
import multiprocessing
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import cast

from youworker_app.core.own_address import own_address

PROJECT_ROOT = Path(__file__).resolve().parent.parent
FRONT_END = PROJECT_ROOT / ".web" / "build" / "client" / "index.html"

APPLICATION = "youworker_app.asgi:create"  # what the worker builds
# How the worker knows whose it is.
_SUPERVISOR = "YOUWORKER_SUPERVISOR_PID"
_PR_SET_PDEATHSIG = 1  # prctl(2)

# The server gives up on a worker only after its own drain had its time.
DRAIN_MARGIN_SECONDS = 5

# Who has not sent a whole head by then, on a new connection or on one that was kept, is let go.
HEADER_SECONDS = 20
# Beside connections: files, the database, the loop.
_OTHER_FILES = 512

# Reflex reads these at import. The names with two underscores are internal to the pinned release: they make it serve
# the front end that was built ahead instead of building one.
REFLEX_ENVIRONMENT = {
    "REFLEX_ENV_MODE": "prod",
    "__REFLEX_SKIP_COMPILE": "true",
    "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
    "REFLEX_TELEMETRY_ENABLED": "false",
    "REFLEX_CHECK_LATEST_VERSION": "false",
    "REFLEX_DIR": str(PROJECT_ROOT / ".web" / ".reflex"),
}

# Parts that libraries take along where they find them, and that a server never uses: to its worker they are not
# installed, which saves 8 MB. A client of websockets asks for requests, tracebacks in colour and a template
# engine's error pages for pygments, an HTTP/2 client for h2.
NEVER_USED = ("requests", "pygments", "h2")


class CannotStart(Exception):
    """Says in one sentence what is missing and what to do."""


@dataclass(frozen=True)
class Listening:
    """What the supervisor has to know of the settings."""

    host: str
    port: int
    public_origins: tuple[str, ...]
    max_connections: int
    shutdown_seconds: int


def main() -> int:
    """Serves until SIGTERM or SIGINT. Returns the exit code: 0 after a clean stop, 1 when it could not start."""
    os.chdir(PROJECT_ROOT)
    os.environ.update(REFLEX_ENVIRONMENT)
    os.environ[_SUPERVISOR] = str(os.getpid())
    leave_out(NEVER_USED)
    told = ask_settings()
    import_module("granian.server")  # takes as long as the settings: both at the same time
    try:
        settings = told()
        require_front_end(FRONT_END)
        require_free_port(settings.host, settings.port)
    except CannotStart as problem:
        print(f"YouWorker cannot start: {problem}", file=sys.stderr)
        return 1
    allow_files(settings.max_connections + _OTHER_FILES)
    say(f"YouWorker: {own_address(settings)} (stop with Ctrl+C)")
    serve(settings)
    return 0


def say(words: str) -> None:
    """Prints, where that can be done: a full disk under the output, or nobody who reads it, is no reason to stop."""
    try:
        print(words, flush=True)
    except OSError:
        # Else the end would try again, and fail for it.
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - stays open


def leave_out(names: tuple[str, ...]) -> None:
    """To whoever imports them from now on, the modules are not installed; those that are loaded stay."""
    for name in names:
        sys.modules.setdefault(name, cast(ModuleType, None))


def ask_settings() -> Callable[[], Listening]:
    """Has the settings read by a child, which takes with it the 8 MB that reading them needs.

    What is returned waits for it, and raises CannotStart.
    """
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe(duplex=False)
    child = fork.Process(target=_tell_settings, args=(theirs,))
    child.start()
    theirs.close()

    def told() -> Listening:
        try:
            answer = ours.recv()
        except EOFError:
            raise CannotStart("the settings could not be read, see above.") from None
        finally:
            ours.close()
            child.join()
        if isinstance(answer, Listening):
            return answer
        raise CannotStart(answer)

    return told


def _tell_settings(pipe: Connection) -> None:
    try:
        pipe.send(read_settings())
    except CannotStart as problem:
        pipe.send(str(problem))


def read_settings() -> Listening:
    """All settings are read, so that a wrong one is told before anything starts. Raises CannotStart."""
    # Only the child pays for these.
    from pydantic import ValidationError

    from youworker_app.core.settings import Settings, what_is_wrong

    try:
        server = Settings().server
    except ValidationError as error:
        raise CannotStart(f"a setting is wrong. {what_is_wrong(error)}.") from None
    return Listening(
        server.host, server.port, server.public_origins, server.max_connections, server.shutdown_seconds
    )


def require_front_end(index: Path) -> None:
    """Raises CannotStart when the front end was never built."""
    if not index.is_file():
        raise CannotStart("the front end is not built. Run `make build` first, or start with `make run`.")


def require_free_port(host: str, port: int) -> None:
    """Raises CannotStart when the address cannot be listened on."""
    try:
        family, kind, proto, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
    except OSError as error:
        raise CannotStart(
            f"cannot listen on {host} port {port} ({error.strerror}). Stop what uses it, or choose another address "
            "with YOUWORKER_SERVER_HOST and YOUWORKER_SERVER_PORT."
        ) from None


def allow_files(wanted: int) -> int:
    """Raises the soft limit of open files to `wanted` if it is lower, as far as the hard one allows; returns what holds."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return soft
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed


def serve(settings: Listening) -> None:
    """Runs the server in the foreground. There is no access log: websocket addresses carry a bearer token."""
    # Not for the worker, the command line and the child that reads settings, which import this module too.
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.server import Server

    # The worker inherits it, and collects again once it has started: see `lifespan.settle_memory`.
    gc.disable()
    Server(
        APPLICATION,
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        workers=1,
        working_dir=PROJECT_ROOT,
        log_level=LogLevels.warning,
        log_access=False,
        # Its own default, 1,024 for both, would let so many silent connections make it deaf.
        backlog=settings.max_connections,
        backpressure=settings.max_connections,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1_000),
        workers_kill_timeout=settings.shutdown_seconds + DRAIN_MARGIN_SECONDS,
    ).serve()


def leave_the_terminal() -> None:
    """For the worker: a Ctrl+C is for the supervisor, which passes it on as a SIGTERM. What is printed is shown all the same."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)


def end_with_supervisor() -> None:
    """For the worker: a SIGTERM when the supervisor dies, else an orphan would keep the port and the data folder. Linux only."""
    supervisor = os.environ.get(_SUPERVISOR)
    if not sys.platform.startswith("linux") or supervisor is None:
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if str(os.getppid()) != supervisor:  # it died before we could ask
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
