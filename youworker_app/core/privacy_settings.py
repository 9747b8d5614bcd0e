"""Settings of how long things are kept. Part of `settings.py`, which is where others import them from."""

from pydantic import Field
from pydantic_settings import BaseSettings

from youworker_app.core.settings_source import prefixed


class PrivacySettings(BaseSettings):
    model_config = prefixed("PRIVACY")

    export_hours: float = Field(
        24, gt=0, le=24 * 30, description="How long a finished export can be fetched; then it is removed."
    )
