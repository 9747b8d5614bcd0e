"""Settings of how long things are kept. Part of `settings.py`, which is where others import them from."""

from pydantic import Field
from pydantic_settings import BaseSettings

from youworker_app.core.settings_source import prefixed


class PrivacySettings(BaseSettings):
    model_config = prefixed("PRIVACY")

    chat_days: int = Field(
        0,
        ge=0,
        le=36_500,
        description="Conversations that nobody has written in for so many days are deleted, but for people on hold; 0: never.",
    )
    export_hours: float = Field(
        24, gt=0, le=24 * 30, description="How long a finished export can be fetched; then it is removed."
    )
