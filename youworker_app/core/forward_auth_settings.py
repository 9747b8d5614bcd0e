"""Settings of Authentik's forward auth. Part of `settings.py`, which is where others import them from."""

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

from youworker_app.core.addresses import parse_network
from youworker_app.core.settings_source import prefixed, split

# As access.actor.Scope has them, which lies above; a test compares.
_SCOPES = frozenset(
    {
        "chat:read",
        "chat:write",
        "documents:read",
        "documents:write",
        "groups:read",
        "groups:write",
        "analytics:read",
        "admin",
    }
)
_HEADER = r"^[A-Za-z0-9-]{1,64}$"


class ForwardAuthSettings(BaseSettings):
    """Authentik's headers, written by a proxy that has asked it who somebody is."""

    model_config = prefixed("FORWARD_AUTH")

    proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Networks of the proxies whose X-authentik-… headers are believed, such as 10.0.0.5/32, separated by "
        "commas; empty: nobody's.",
    )
    issuer: str = Field(
        "authentik",
        min_length=1,
        max_length=255,
        description="Under whose name people of these headers are kept; set to YOUWORKER_OIDC_ISSUER it is "
        "one account by both doors.",
    )
    key_header: str = Field(
        "X-authentik-youworker-key",
        pattern=_HEADER,
        description="The header in which Authentik tells a person's stable API key.",
    )
    key_scopes: Annotated[tuple[str, ...], NoDecode] = Field(
        (
            "chat:read",
            "chat:write",
            "documents:read",
            "documents:write",
            "groups:read",
            "groups:write",
            "analytics:read",
        ),
        description="What such a key may do, separated by commas; `admin` is left out unless it is named.",
    )
    root_group: str = Field(
        "",
        max_length=255,
        description="Who is in this group of Authentik is an administrator, and no longer one without it, as of each "
        "sign-in; empty: the headers make nobody one.",
    )
    creates_people: bool = Field(True, description="Whether who is unknown here gets an account.")
    sign_out_path: str = Field(
        "/outpost.goauthentik.io/sign_out",
        pattern=r"^/([A-Za-z0-9._~-]+/?)*$",
        max_length=200,
        description="Where the proxy signs people out of Authentik.",
    )

    _split_lists = field_validator("proxies", "key_scopes", mode="before")(split)

    @field_validator("proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(str(parse_network(network)) for network in value))
        if any(network.endswith("/0") for network in found):
            raise ValueError("trusts everybody, who could then be anybody; name the proxies alone")
        return found

    @field_validator("key_header")
    @classmethod
    def _of_its_own(cls, value: str) -> str:
        if value.lower() in {"authorization", "x-api-key", "cookie"}:
            raise ValueError(
                "is a header in which people send keys themselves; give the proxy's a name of its own"
            )
        return value

    @field_validator("key_scopes")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(value) - _SCOPES):
            raise ValueError(f"{unknown[0][:40]!r} is no scope; there are {', '.join(sorted(_SCOPES))}")
        return tuple(dict.fromkeys(value))
