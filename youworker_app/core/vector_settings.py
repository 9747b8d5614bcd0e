"""Settings of the search index. Part of `settings.py`, which is where others import them from."""

from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from youworker_app.core.settings_source import prefixed


class VectorSettings(BaseSettings):
    model_config = prefixed("VECTORS")

    backend: Literal["embedded", "server"] = Field(
        "embedded",
        description="`embedded` keeps vectors in the data folder, `server` uses a Qdrant server; a given address means `server`.",
    )
    qdrant_url: str = Field(
        "",
        validation_alias=AliasChoices("YOUWORKER_VECTORS_QDRANT_URL", "QDRANT_URL", "qdrant_url"),
        description="Address of the Qdrant server; `QDRANT_URL` is read too.",
    )
    qdrant_api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("YOUWORKER_VECTORS_QDRANT_API_KEY", "QDRANT_API_KEY", "qdrant_api_key"),
        description="Key of the Qdrant server; `QDRANT_API_KEY` is read too.",
    )
    collection: str = Field(
        "youworker", pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Collection name on the Qdrant server."
    )
    timeout_s: float = Field(
        10, gt=0, le=120, description="Longest wait for one call to the Qdrant server, in seconds."
    )
    batch_size: int = Field(
        256,
        ge=1,
        le=10_000,
        description="Points in one write to the Qdrant server: about 1 MB at 384 dimensions.",
    )
    hnsw_m: int = Field(
        16,
        ge=0,
        le=256,
        description="Links of a point in the search graph (Qdrant); more finds more and takes more memory. 0 would lose hits: "
        "a search goes through several keywords at once, whose graphs hang together by these links alone.",
    )
    hnsw_payload_m: int = Field(
        16,
        ge=0,
        le=256,
        description="Links among the points of one visibility keyword (Qdrant): they keep searches whole that see little of all.",
    )
    hnsw_ef_construct: int = Field(
        128, ge=4, le=10_000, description="Neighbours looked at while a graph is built (Qdrant)."
    )
    hnsw_ef: int = Field(
        128,
        ge=4,
        le=10_000,
        description="Neighbours looked at by a search (Qdrant); not below 100, the hits that a search asks for.",
    )
    quantization: Literal["none", "scalar", "binary"] = Field(
        "none",
        description="Smaller copies of the vectors to search in (Qdrant): `scalar` takes a quarter of the memory, `binary` "
        "a thirty-second and wants 1,024 dimensions or more.",
    )
    rescore: bool = Field(
        True,
        description="Whether hits in smaller copies are weighed again by the vectors themselves (Qdrant).",
    )
    oversampling: float = Field(
        2.0,
        ge=1,
        le=100,
        description="How many times the hits are taken from smaller copies before that (Qdrant).",
    )
    on_disk: bool = Field(
        False,
        description="Whether vectors and graphs stay on the Qdrant server's disk instead of in its memory.",
    )

    @field_validator("qdrant_url")
    @classmethod
    def _http(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("must look like http://host:6333")
        return value.rstrip("/")

    @model_validator(mode="before")
    @classmethod
    def _server_by_address(cls, values: dict[str, Any]) -> dict[str, Any]:
        given = any(values.get(name) for name in ("YOUWORKER_VECTORS_QDRANT_URL", "QDRANT_URL", "qdrant_url"))
        return {"backend": "server", **values} if given else values

    @property
    def advised_points(self) -> int | None:
        """How many the index is made for: what the embedded one searches in a tenth of a second (ADR 10); None for any number."""
        return 2_000_000 if self.backend == "embedded" else None

    @model_validator(mode="after")
    def _server_has_address(self) -> Self:
        if self.backend == "server" and not self.qdrant_url:
            raise ValueError(
                "YOUWORKER_VECTORS_BACKEND is `server`, but YOUWORKER_VECTORS_QDRANT_URL is not set"
            )
        return self
