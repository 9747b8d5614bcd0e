"""Settings of the audit trail. Part of `settings.py`, which is where others import them from."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from youworker_app.core.settings_source import prefixed


class AuditSettings(BaseSettings):
    model_config = prefixed("AUDIT")

    anchor_file: Path | None = Field(
        None,
        description="File that the MAC of each sealed block is appended to, best on another machine's disk; empty: none.",
    )
    anchor_url: str = Field(
        "", description="Address that the MACs of sealed blocks are sent to (POST, JSON); empty: none."
    )
    anchor_token: SecretStr = Field(SecretStr(""), description="Bearer token for that address.")
    anchor_timeout_s: float = Field(
        5, gt=0, le=60, description="Longest wait for one call to that address, in seconds."
    )
    keep_days: int = Field(
        0, ge=0, le=36_500, description="Events older than this are taken away behind their seal; 0: never."
    )
    named_reading: bool = Field(
        False,
        description="Whether root may see by name who read, searched and asked, each time for a reason that is recorded; "
        "in Italy this is regulated (art. 4, L. 300/1970).",
    )

    @field_validator("anchor_url")
    @classmethod
    def _http(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("must look like https://host/path")
        return value
