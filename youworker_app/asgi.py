"""The ASGI application: Reflex and what is mounted beside it, inside the outer checks. Built by the server's worker."""

from starlette.types import ASGIApp

from youworker_app.api.connections import Connections
from youworker_app.api.middleware import OuterPolicy, harden
from youworker_app.api.readers import ConnectionPatience, ReaderPatience
from youworker_app.api.sockets import SocketGuard
from youworker_app.core.addresses import Networks
from youworker_app.core.settings import ServerSettings
from youworker_app.core.stopping import Stopping
from youworker_app.core.telemetry import configure_logging
from youworker_app.frontend import read_script_hashes
from youworker_app.lifespan import WithInstallation
from youworker_app.rest import build_local
from youworker_app.serve import end_with_supervisor, leave_the_terminal
from youworker_app.youworker_app import app as reflex_app


def create() -> ASGIApp:
    """Builds the application once a worker. The environment must be the one that `serve` prepares."""
    leave_the_terminal()
    end_with_supervisor()
    settings = ServerSettings()
    configure_logging(level=settings.log_level, as_json=settings.log_json)
    policy = OuterPolicy(
        server_host=settings.host,
        public_origins=settings.public_origins,
        script_hashes=read_script_hashes(),
        trusted_proxies=Networks(settings.trusted_proxies),
        allowed_addresses=Networks(settings.allowed_addresses),
    )
    stopping = Stopping()
    connections = Connections(SocketGuard(reflex_app(), settings), stopping)
    inner = WithInstallation(connections, build_local(stopping), stopping, connections.close)
    patient = ReaderPatience(inner, settings.reader_patience_s)
    return harden(ConnectionPatience(patient, settings.reader_patience_s), policy)
