"""Where a request comes from, as accounts keep it."""

from starlette.requests import Request

from youworker_app.accounts.errors import LocalSignInOff
from youworker_app.accounts.schemas import Client
from youworker_app.api.cookies import DEVICE_COOKIE
from youworker_app.core.registry import service
from youworker_app.core.settings import Settings


def client_of(request: Request) -> Client:
    """Where the request comes from."""
    return Client(
        request.client.host if request.client else "",
        request.headers.get("user-agent", ""),
        request.cookies.get(DEVICE_COOKIE, ""),
    )


def demand_local_sign_in(request: Request) -> None:
    """Raises LocalSignInOff where passwords open nothing; over the socket in the data folder they always do."""
    is_from_the_network = request.client is not None
    if is_from_the_network and not service(Settings).oidc.local_sign_in:
        raise LocalSignInOff
