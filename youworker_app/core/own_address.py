"""Where this server is reached. Imports next to nothing: the supervisor keeps what it imports for as long as it lives."""

from typing import Protocol


class Listens(Protocol):
    """Whatever knows where the server listens and by what names people reach it."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def public_origins(self) -> tuple[str, ...]: ...


def own_address(settings: Listens) -> str:
    """The address to open in a browser: the first public one, else the one listened on."""
    if settings.public_origins:
        return settings.public_origins[0]
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
