"""Settings of how much one person may ask for. Part of `settings.py`, which is where others import them from."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from youworker_app.core.settings_source import prefixed

_MOST = 10_000_000


class LimitSettings(BaseSettings):
    """Each is a number a minute, 0 for no limit. The fields bear the names of the cost classes, see `rates.Cost`."""

    model_config = prefixed("LIMIT")

    sign_in: int = Field(
        300, ge=0, le=_MOST, description="Sign-ins and setups from one address a minute; 0 for any number."
    )
    keys: int = Field(
        120,
        ge=0,
        le=_MOST,
        description="Changes of one person to API keys, accounts and people a minute; 0 for any number.",
    )
    upload: int = Field(
        3_000, ge=0, le=_MOST, description="Uploads of one person a minute; 0 for any number."
    )
    chat: int = Field(
        1_200, ge=0, le=_MOST, description="Questions of one person a minute; 0 for any number."
    )
    search: int = Field(
        3_000, ge=0, le=_MOST, description="Searches of one person a minute; 0 for any number."
    )
    read: int = Field(
        30_000, ge=0, le=_MOST, description="Other readings of one person a minute; 0 for any number."
    )
    write: int = Field(
        6_000, ge=0, le=_MOST, description="Other changes of one person a minute; 0 for any number."
    )
    poll: int = Field(
        120_000,
        ge=0,
        le=_MOST,
        description="How often one person may ask how far a job is, a minute; 0 for any number.",
    )
    redis_url: SecretStr = Field(
        SecretStr(""),
        description="redis://[:password@]host:6379/0, to count for several servers together; empty: each counts by itself.",
    )

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr) -> SecretStr:
        parts = urlsplit(value.get_secret_value())
        if value.get_secret_value() and (parts.scheme not in {"redis", "rediss"} or not parts.hostname):
            raise ValueError("must look like redis://:password@host:6379/0")
        return value
