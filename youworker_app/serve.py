"""The launcher: `python -m youworker_app.serve` checks what must be there, then serves until a signal comes.

It imports neither Reflex nor a domain: the worker does, after the environment is set here.
"""

import ctypes
import gc
import os
import resource
import signal
import socket
import sys
from pathlib import Path

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server
from pydantic import ValidationError

from youworker_app.core.settings import ServerSettings, Settings, what_is_wrong

PROJECT_ROOT = Path(__file__).resolve().parent.parent
FRONT_END = PROJECT_ROOT / ".web" / "build" / "client" / "index.html"

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


class CannotStart(Exception):
    """Says in one sentence what is missing and what to do."""


def main() -> int:
    """Serves until SIGTERM or SIGINT. Returns the exit code: 0 after a clean stop, 1 when it could not start."""
    os.chdir(PROJECT_ROOT)
    os.environ.update(REFLEX_ENVIRONMENT)
    os.environ[_SUPERVISOR] = str(os.getpid())
    try:
        settings = read_settings()
        require_front_end(FRONT_END)
        require_free_port(settings.host, settings.port)
    except CannotStart as problem:
        print(f"YouWorker cannot start: {problem}", file=sys.stderr)
        return 1
    allow_files(settings.max_connections + _OTHER_FILES)
    say(f"YouWorker: {address(settings)} (stop with Ctrl+C)")
    serve(settings)
    return 0


def say(words: str) -> None:
    """Prints, where that can be done: a full disk under the output, or nobody who reads it, is no reason to stop."""
    try:
        print(words, flush=True)
    except OSError:
        # Else the end would try again, and fail for it.
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - stays open


def read_settings() -> ServerSettings:
    """All settings are read, so that a wrong one is told before anything starts. Raises CannotStart."""
    try:
        return Settings().server
    except ValidationError as error:
        raise CannotStart(f"a setting is wrong. {what_is_wrong(error)}.") from None


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


def address(settings: ServerSettings) -> str:
    """The address to open in a browser: the first public one, else the one listened on."""
    if settings.public_origins:
        return settings.public_origins[0]
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def serve(settings: ServerSettings) -> None:
    """Runs the server in the foreground. There is no access log: websocket addresses carry a bearer token."""
    # The worker inherits it, and collects again once it has started: see `lifespan.settle_memory`.
    gc.disable()
    Server(
        "youworker_app.asgi:create",
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
