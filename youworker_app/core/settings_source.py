"""Where settings come from: the environment and `.env`, each concern under its own prefix."""

from pydantic_settings import SettingsConfigDict


def prefixed(concern: str) -> SettingsConfigDict:
    return SettingsConfigDict(
        env_prefix=f"YOUWORKER_{concern}_" if concern else "YOUWORKER_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        validate_by_name=True,
        hide_input_in_errors=True,  # a wrong value may be a secret
    )


def split(value: object) -> object:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )
