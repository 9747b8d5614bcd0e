"""The REST application of this installation, and what its socket answers: every domain's routes in one place."""

from fastapi import FastAPI
from starlette.types import ASGIApp

from youworker_app.accounts import form_routes, oidc_routes
from youworker_app.accounts import maintenance_routes as key_maintenance
from youworker_app.accounts import routes as accounts
from youworker_app.api.app import create_api
from youworker_app.api.connections import Connections
from youworker_app.api.local import LocalApplication, create_maintenance
from youworker_app.api.middleware import CorrelationId
from youworker_app.audit import maintenance_routes as audit_maintenance
from youworker_app.audit import routes as audit
from youworker_app.chat import history_routes
from youworker_app.chat import routes as chat
from youworker_app.core.settings import ServerSettings
from youworker_app.core.stopping import Stopping
from youworker_app.documents import routes as documents
from youworker_app.groups import routes as groups
from youworker_app.ingestion import maintenance_routes
from youworker_app.ingestion import routes as ingestion
from youworker_app.operations import routes as operations
from youworker_app.retrieval import routes as retrieval


def build_rest() -> FastAPI:
    """The application; the services that its routes ask for are wired before the first request."""
    # Routes are tried in order: what is asked most, and while somebody waits for each millisecond, stands first.
    domains = (chat, accounts, history_routes, groups, documents, ingestion, retrieval, audit)
    return create_api(
        [domain.router for domain in domains],
        plain=[form_routes.router, oidc_routes.plain_router, operations.router],
        body_patience_s=ServerSettings().body_patience_s,
    )


def build_maintenance() -> FastAPI:
    """What only the socket in the data folder answers."""
    return create_maintenance([maintenance_routes.router, audit_maintenance.router, key_maintenance.router])


def build_local(stopping: Stopping) -> ASGIApp:
    """Everything that the socket answers; nothing new once the process is on its way out."""
    app = LocalApplication(build_rest(), build_maintenance())
    return CorrelationId(Connections(app, stopping))
