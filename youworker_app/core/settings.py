"""Settings: one frozen class a concern, read from the environment once, validated at start.

Owns every name that an administrator can set. docs/settings.md and .env.example are made from the descriptions here
(`python -m youworker_app.core.settings_docs`). Nothing else reads the environment.
"""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode

from youworker_app.core.addresses import parse_network
from youworker_app.core.audit_settings import AuditSettings as AuditSettings
from youworker_app.core.database_url import connectable
from youworker_app.core.forward_auth_settings import ForwardAuthSettings as ForwardAuthSettings
from youworker_app.core.oidc_settings import OidcSettings as OidcSettings
from youworker_app.core.origins import parse_origin
from youworker_app.core.privacy_settings import PrivacySettings as PrivacySettings
from youworker_app.core.rate_settings import LimitSettings as LimitSettings
from youworker_app.core.settings_source import prefixed, split
from youworker_app.core.vector_settings import VectorSettings as VectorSettings

MIB = 1024 * 1024


class StorageSettings(BaseSettings):
    model_config = prefixed("STORAGE")

    data_dir: Path = Field(
        Path("data"), description="Folder that holds everything: database, files, vectors, keys."
    )
    reserve_bytes: int = Field(
        128 * MIB,
        ge=8 * MIB,
        description="Room that uploads leave on the disk, in bytes; the index leaves half of it, the rest is the database's.",
    )

    @property
    def blobs_dir(self) -> Path:
        return self.data_dir / "blobs"

    @property
    def vectors_dir(self) -> Path:
        return self.data_dir / "vectors"

    @property
    def models_dir(self) -> Path:
        return self.data_dir / "models"

    @property
    def secrets_dir(self) -> Path:
        return self.data_dir / "secrets"


class DatabaseSettings(BaseSettings):
    model_config = prefixed("DATABASE")

    url: str = Field(
        "",
        validation_alias=AliasChoices("YOUWORKER_DATABASE_URL", "DATABASE_URL"),
        repr=False,
        description="postgresql://user:password@host:5432/database, or sqlite:///path; empty: SQLite in the data folder. "
        "`DATABASE_URL` is read too.",
    )
    busy_timeout_ms: int = Field(
        5_000, ge=100, le=60_000, description="How long SQLite waits for a foreign writer, in milliseconds."
    )
    pool_size: int = Field(10, ge=1, le=200, description="Connections kept open.")
    pool_overflow: int = Field(
        10, ge=0, le=200, description="Connections opened on top when all are in use, closed after it."
    )
    pool_timeout_s: float = Field(
        10, gt=0, le=300, description="Longest wait for a free connection, in seconds."
    )
    pool_recycle_s: int = Field(
        1_800,
        ge=1,
        le=86_400,
        description="A connection older than this is replaced, in seconds (PostgreSQL).",
    )
    pool_pre_ping: bool = Field(
        True, description="Ask a connection whether it lives before it is used (PostgreSQL)."
    )
    pool_slow_ms: int = Field(
        250, ge=1, le=60_000, description="A longer wait for a connection is logged, in milliseconds."
    )
    connect_timeout_s: float = Field(
        5, gt=0, le=60, description="Longest wait for PostgreSQL to accept a connection, in seconds."
    )
    statement_timeout_ms: int = Field(
        30_000,
        ge=0,
        le=3_600_000,
        description="PostgreSQL ends a statement after this many milliseconds; 0: never.",
    )
    application_name: str = Field(
        "youworker",
        pattern=r"^[\x20-\x7e]{1,63}$",
        description="The name that PostgreSQL shows for our connections.",
    )
    slow_query_ms: int = Field(
        500,
        ge=1,
        le=3_600_000,
        description="A longer statement is logged without its values, in milliseconds; with its plan at log level DEBUG.",
    )

    _connectable = field_validator("url")(connectable)


class SecuritySettings(BaseSettings):
    model_config = prefixed("SECURITY")

    master_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="Master keys, newest first, separated by commas; empty: made on the first start in the data folder.",
    )
    session_days: int = Field(30, ge=1, le=365, description="A sign-in ends after this many days.")
    session_idle_hours: int = Field(
        168, ge=1, le=8_760, description="A sign-in ends after this many hours without use."
    )
    api_key_days: int = Field(
        90, ge=1, le=3_650, description="An API key ends after this many days unless it asks for fewer."
    )
    min_password_length: int = Field(10, ge=8, le=128, description="Shortest password accepted.")

    _split_keys = field_validator("master_keys", mode="before")(split)


class EmbeddingSettings(BaseSettings):
    model_config = prefixed("EMBEDDING")

    backend: Literal["builtin", "ollama"] = Field(
        "builtin", description="`builtin` is MiniLM on the CPU, `ollama` asks Ollama."
    )
    model: str = Field("nomic-embed-text", description="Ollama's embedding model (backend `ollama`).")
    threads: int = Field(1, ge=1, le=64, description="CPU threads of the built-in model.")
    timeout_s: float = Field(
        60, gt=0, le=600, description="Longest wait for one batch of embeddings, in seconds."
    )


class LLMSettings(BaseSettings):
    model_config = prefixed("LLM")

    ollama_url: str = Field("http://127.0.0.1:11434", description="Address of Ollama.")
    ollama_api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("YOUWORKER_LLM_OLLAMA_API_KEY", "OLLAMA_API_KEY", "ollama_api_key"),
        description="Key for an Ollama behind a proxy that asks for one; `OLLAMA_API_KEY` is read too.",
    )
    model: str = Field("", description="Model for answers; empty: the first that Ollama offers.")
    connect_timeout_s: float = Field(2, gt=0, le=60, description="Longest wait for a connection, in seconds.")
    first_token_timeout_s: float = Field(
        120, gt=0, le=3_600, description="Longest wait for the first word, in seconds."
    )
    stall_timeout_s: float = Field(
        30, gt=0, le=600, description="Longest silence inside an answer, in seconds."
    )
    context_tokens: int = Field(
        8_192,
        ge=1_024,
        le=1_048_576,
        description="Room for a prompt with its answer, in tokens; more takes more memory.",
    )
    max_tokens: int = Field(1_024, ge=16, le=131_072, description="Longest answer, in tokens.")

    @field_validator("ollama_url")
    @classmethod
    def _http(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must look like http://host:11434")
        return value.rstrip("/")


class IngestionSettings(BaseSettings):
    model_config = prefixed("INGESTION")

    max_file_bytes: int = Field(
        200 * MIB, ge=1, le=20 * 1024 * MIB, description="Largest file accepted, in bytes."
    )
    upload_idle_s: float = Field(
        60, gt=0, le=3_600, description="An upload that nothing comes of for so many seconds is ended."
    )
    upload_min_bytes_per_s: int = Field(
        1_024,
        ge=0,
        description="Slowest upload, in bytes a second on average, looked at once it was waited for as long as for "
        "an idle one; 0 for none.",
    )
    max_files_per_upload: int = Field(100, ge=1, le=10_000, description="Most files in one upload.")
    max_pages: int = Field(20_000, ge=1, description="Most pages in one document.")
    workers: int = Field(2, ge=1, le=64, description="Documents worked on at the same time.")
    parser_memory_bytes: int = Field(
        2_048 * MIB, ge=256 * MIB, description="Memory limit of a process that reads foreign files."
    )
    parser_timeout_s: float = Field(
        120, gt=0, le=3_600, description="Time limit of one step in reading a foreign file, in seconds."
    )


class ChatSettings(BaseSettings):
    model_config = prefixed("CHAT")

    max_question_chars: int = Field(
        16_000, ge=100, le=1_000_000, description="Longest question, in characters."
    )
    passages: int = Field(6, ge=1, le=50, description="Passages given to the model with a question.")
    history_messages: int = Field(12, ge=0, le=200, description="Earlier messages given to the model.")
    save_every_ms: int = Field(
        1_000, ge=100, le=60_000, description="How often a growing answer is saved, in milliseconds."
    )
    max_runs_per_user: int = Field(
        4, ge=1, le=100, description="Answers that one person can have running at once."
    )


class ServerSettings(BaseSettings):
    model_config = prefixed("SERVER")

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for all.")
    port: int = Field(8000, ge=1, le=65_535, description="Port to listen on.")
    public_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses that people use, such as https://ai.example.it, separated by commas; needed behind a proxy.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Networks of the proxies in front, such as 10.0.0.5/32, separated by commas: X-Forwarded-For and "
        "X-Forwarded-Proto are believed from these alone.",
    )
    allowed_addresses: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Networks that may reach this server, such as 10.0.0.0/8 or 2001:db8::/32, separated by commas; empty: all. "
        "Name 127.0.0.1 too for health checks on this machine.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe log event written."
    )
    log_json: bool = Field(False, description="Write logs as JSON lines.")
    max_connections: int = Field(
        4_096, ge=128, le=65_536, description="Most connections at once; more wait until one is closed."
    )
    max_sockets: int = Field(
        2_000,
        ge=2,
        le=65_536,
        description="Most open pages (websockets) at once; those of people who are not signed in take at most half.",
    )
    max_sockets_per_session: int = Field(
        100,
        ge=1,
        le=65_536,
        description="Most open pages of one sign-in, or of one address that is not signed in.",
    )
    socket_idle_s: float = Field(
        900,
        gt=0,
        le=86_400,
        description="A page that is not signed in and does nothing is let go after so many seconds.",
    )
    reader_patience_s: float = Field(
        60,
        gt=0,
        le=3_600,
        description="An answer whose reader takes nothing for so many seconds is given up.",
    )
    body_patience_s: float = Field(
        30,
        gt=0,
        le=3_600,
        description="Longest time that a request other than an upload may take to arrive, in seconds.",
    )
    shutdown_seconds: int = Field(
        5, ge=1, le=300, description="How long a stop waits for running answers and uploads, in seconds."
    )

    _split_lists = field_validator("public_origins", "trusted_proxies", "allowed_addresses", mode="before")(
        split
    )

    @field_validator("public_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(parse_origin(origin)) for origin in value))

    @field_validator("trusted_proxies", "allowed_addresses")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(parse_network(network)) for network in value))

    @field_validator("trusted_proxies")
    @classmethod
    def _not_everybody(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(network.endswith("/0") for network in value):
            raise ValueError("trusts everybody, who could then name any address; name the proxies alone")
        return value


class CommandSettings(BaseSettings):
    """For who uses the command line, not for the server."""

    model_config = prefixed("")

    user: str = Field("", description="Who uses the command line, unless it is told `--user`.")
    api_key: SecretStr = Field(
        SecretStr(""), description="API key for the command line, instead of a name and a password."
    )


class Settings:
    """All concerns together, read at one moment."""

    def __init__(self, *, data_dir: Path | None = None) -> None:
        self.storage = StorageSettings(data_dir=data_dir) if data_dir else StorageSettings()
        self.database = DatabaseSettings()
        self.security = SecuritySettings()
        self.oidc = OidcSettings()
        self.forward_auth = ForwardAuthSettings()
        self.audit = AuditSettings()
        self.vectors = VectorSettings()
        self.embedding = EmbeddingSettings()
        self.llm = LLMSettings()
        self.ingestion = IngestionSettings()
        self.chat = ChatSettings()
        self.server = ServerSettings()
        self.limits = LimitSettings()
        self.privacy = PrivacySettings()

    def database_url(self) -> str:
        """The database's URL, SQLite in the data folder unless set."""
        return self.database.url or f"sqlite+aiosqlite:///{self.storage.data_dir.absolute() / 'youworker.db'}"


CONCERNS: tuple[type[BaseSettings], ...] = (
    DatabaseSettings,
    SecuritySettings,
    OidcSettings,
    ForwardAuthSettings,
    AuditSettings,
    StorageSettings,
    VectorSettings,
    LLMSettings,
    EmbeddingSettings,
    IngestionSettings,
    ChatSettings,
    ServerSettings,
    LimitSettings,
    PrivacySettings,
    CommandSettings,
)


def what_is_wrong(error: ValidationError) -> str:
    """The settings that could not be read, by the names that an administrator sets, and why; never their values."""
    prefixes = {concern.__name__: str(concern.model_config.get("env_prefix", "")) for concern in CONCERNS}
    prefix = prefixes.get(str(error.title), "")
    return "; ".join(f"{_variable(prefix, e['loc'])}: {e['msg']}" for e in error.errors(include_input=False))


def _variable(prefix: str, location: tuple[int | str, ...]) -> str:
    name = "_".join(str(part) for part in location).upper()
    # What can be set by more than one name is told by the one that was used.
    return name if "DATABASE_URL" in name or "QDRANT_" in name else f"{prefix}{name}".rstrip("_")
