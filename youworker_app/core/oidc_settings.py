"""Settings of signing in at a company's own provider. Part of `settings.py`, which is where others import them from."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode

from youworker_app.core.settings_source import prefixed, split


class OidcSettings(BaseSettings):
    """One OpenID provider, found by discovery. It is asked at the first sign-in, never at the start."""

    model_config = prefixed("OIDC")

    issuer: str = Field(
        "",
        description="The provider's issuer, such as https://auth.example.it/application/o/youworker/; empty: no provider.",
    )
    name: str = Field(
        "",
        max_length=40,
        description="What the button on the sign-in page calls it; empty: the issuer's host.",
    )
    client_id: str = Field("", max_length=255, description="This installation's client id at the provider.")
    client_secret: SecretStr = Field(
        SecretStr(""), description="Its client secret; empty for a public client, which PKCE alone protects."
    )
    scopes: Annotated[tuple[str, ...], NoDecode] = Field(
        ("openid", "profile", "email"), description="Scopes that are asked for, separated by commas."
    )
    username_claim: str = Field(
        "preferred_username",
        max_length=100,
        description="The claim that a new person's user name is made of.",
    )
    root_claim: str = Field(
        "groups",
        max_length=100,
        description="The claim that can make an administrator; a dot leads into a claim.",
    )
    root_value: str = Field(
        "",
        max_length=255,
        description="Who has this value in that claim is an administrator, and no longer one without it, as of each "
        "sign-in; empty: the provider makes nobody one.",
    )
    creates_people: bool = Field(
        True,
        description="Whether who is unknown here gets an account; else only who opens an administrator's link.",
    )
    local_sign_in: bool = Field(
        True,
        description="Whether people can sign in with a password too; without it only on the server's own command line.",
    )
    timeout_s: float = Field(
        5, gt=0, le=60, description="Longest wait for an answer of the provider, in seconds."
    )
    ca_file: Path | None = Field(
        None,
        description="File of the certificates that the provider's own is checked by; empty: the usual ones.",
    )

    _split_lists = field_validator("scopes", mode="before")(split)

    @property
    def shown_name(self) -> str:
        """What people know the provider by."""
        return self.name or urlsplit(self.issuer).hostname or ""

    @field_validator("issuer")
    @classmethod
    def _issuer(cls, value: str) -> str:
        if not value:
            return value
        try:
            parts = urlsplit(value)
            is_usable = (
                bool(parts.hostname) and parts.username is None and not parts.query and not parts.fragment
            )
            _ = parts.port
        except ValueError:
            is_usable = False
        if (
            not is_usable
            or parts.scheme not in {"http", "https"}
            or not value.isascii()
            or not value.isprintable()
        ):
            raise ValueError("must look like https://auth.example.it/application/o/youworker/")
        if parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
            raise ValueError("must begin with https://, or everybody on the way could sign in as anybody")
        return value

    @field_validator("scopes")
    @classmethod
    def _openid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in value:
            raise ValueError("must hold openid, or the provider does not say who somebody is")
        return tuple(dict.fromkeys(value))

    @field_validator("ca_file")
    @classmethod
    def _readable(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("is not a file that can be read")
        return value

    @model_validator(mode="after")
    def _whole(self) -> "OidcSettings":
        if self.issuer and not self.client_id:
            raise ValueError("YOUWORKER_OIDC_ISSUER is set without YOUWORKER_OIDC_CLIENT_ID")
        if not self.issuer and self.client_id:
            raise ValueError("YOUWORKER_OIDC_CLIENT_ID is set without YOUWORKER_OIDC_ISSUER")
        if not self.issuer and not self.local_sign_in:
            raise ValueError(
                "YOUWORKER_OIDC_LOCAL_SIGN_IN is off and there is no provider: nobody could sign in"
            )
        return self
