"""What a sign-in service does for us: it says where a person proves who they are, and what the answer is worth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from youworker_app.core.errors import DependencyAway, Unauthenticated


class ProviderAway(DependencyAway):
    code = "PROVIDER_AWAY"
    template = "The sign-in service does not answer at the moment. Try again in a minute."


class ProviderAnswerWrong(Unauthenticated):
    """An answer that proves nothing. `reason` is for the log: whoever is told more could probe with it."""

    code = "PROVIDER_ANSWER_WRONG"
    template = "The sign-in service's answer could not be trusted, so nobody was signed in. Try again."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


class ProviderRefused(Unauthenticated):
    """The provider itself did not let the person in. `reason` is its error code, for the log."""

    code = "PROVIDER_REFUSED"
    template = "The sign-in service did not let you in."

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason


@dataclass(frozen=True)
class Journey:
    """What is kept here while somebody is at the provider, and binds the answer to their browser."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True)
class Departure:
    """Where the browser goes, and what is kept meanwhile."""

    address: str
    journey: Journey


@dataclass(frozen=True)
class Arrival:
    """What the browser brought back in its address. `issuer` is the parameter of RFC 9207, where there is one."""

    code: str = field(repr=False)
    state: str
    issuer: str | None = None
    error: str = ""


@dataclass(frozen=True)
class Proof:
    """Who it is, proved. `session_id` names their session at the provider, where it told that."""

    issuer: str
    subject: str
    claims: Mapping[str, Any] = field(repr=False)
    id_token: str = field(repr=False)
    session_id: str = ""


@dataclass(frozen=True)
class Farewell:
    """A provider's word that somebody signed out there: one of their sessions, or all of them where none is named."""

    issuer: str
    subject: str = ""
    session_id: str = ""


class IdentityProvider(Protocol):
    """One provider. Nothing is asked of it before the first sign-in."""

    async def begin(self, redirect_uri: str) -> Departure:
        """The way to its sign-in, back to `redirect_uri`. Raises ProviderAway, ProviderAnswerWrong."""
        ...

    async def finish(self, journey: Journey, arrival: Arrival) -> Proof:
        """Whom the answer proves. Raises ProviderAway, ProviderRefused, ProviderAnswerWrong."""
        ...

    async def sign_out_address(self, id_token: str, return_to: str) -> str:
        """Where the browser signs out at the provider; empty where it has no such place. Raises as `begin` does."""
        ...

    async def read_farewell(self, logout_token: str) -> Farewell:
        """What a back-channel logout token says. Raises ProviderAway, ProviderAnswerWrong."""
        ...

    async def close(self) -> None:
        """Lets go of connections."""
        ...
