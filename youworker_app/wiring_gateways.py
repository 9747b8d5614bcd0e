"""The part of the composition root that turns settings into gateways; nothing is connected yet."""

from dataclasses import dataclass
from functools import partial

from youworker_app.core.settings import Settings
from youworker_app.gateways.anchors.places import anchor_places
from youworker_app.gateways.anchors.protocol import AnchorStore
from youworker_app.gateways.blobs.files import FileBlobStore
from youworker_app.gateways.blobs.protocol import BlobStore
from youworker_app.gateways.embeddings.minilm import MiniLMEmbedder
from youworker_app.gateways.embeddings.ollama import OllamaEmbedder
from youworker_app.gateways.embeddings.protocol import Embedder
from youworker_app.gateways.llm.ollama import OllamaModel
from youworker_app.gateways.llm.protocol import LanguageModel
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.parsing.protocol import DocumentParser, ParserLimits
from youworker_app.gateways.vectors.embedded import EmbeddedVectorStore
from youworker_app.gateways.vectors.generations import GenerationStore
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.gateways.vectors.protocol import VectorStore
from youworker_app.gateways.vectors.shelves import FolderShelf, GivenShelf


@dataclass(frozen=True)
class Gateways:
    """The foreign systems, each behind its Protocol."""

    blobs: BlobStore
    vectors: VectorStore
    embedder: Embedder
    llm: LanguageModel
    parser: DocumentParser
    anchors: tuple[AnchorStore, ...] = ()

    async def close(self) -> None:
        """Closes all of them."""
        for gateway in (self.parser, self.llm, self.embedder, self.vectors):
            await gateway.close()
        for place in self.anchors:
            await place.close()


def build_gateways(settings: Settings) -> Gateways:
    """The real gateways that the settings ask for; nothing is connected yet."""
    return Gateways(
        blobs=FileBlobStore(settings.storage.blobs_dir, reserve_bytes=settings.storage.reserve_bytes),
        vectors=_vectors(settings),
        embedder=_embedder(settings),
        llm=OllamaModel(
            settings.llm.ollama_url,
            connect_timeout_s=settings.llm.connect_timeout_s,
            first_token_timeout_s=settings.llm.first_token_timeout_s,
            stall_timeout_s=settings.llm.stall_timeout_s,
            context_tokens=settings.llm.context_tokens,
            api_key=settings.llm.ollama_api_key.get_secret_value(),
        ),
        parser=LocalParser(
            ParserLimits(
                max_pages=settings.ingestion.max_pages,
                memory_bytes=settings.ingestion.parser_memory_bytes,
                step_seconds=settings.ingestion.parser_timeout_s,
            )
        ),
        anchors=anchor_places(settings.audit),
    )


def _vectors(settings: Settings) -> VectorStore:
    if settings.vectors.backend == "embedded":
        reserve = settings.storage.reserve_bytes // 2
        make = partial(EmbeddedVectorStore, reserve_bytes=reserve)
        return GenerationStore(FolderShelf(settings.storage.vectors_dir, make))
    # A fifth of the time of a start goes into importing the client: only who uses it pays.
    from youworker_app.gateways.vectors.server import ServerShelf

    return GenerationStore(ServerShelf(settings.vectors))


def generations(vectors: VectorStore) -> GenerationStore:
    """Tests give a plain store: that is the first generation."""
    if isinstance(vectors, GenerationStore):
        return vectors
    return GenerationStore(GivenShelf(vectors, MemoryVectorStore))


def _embedder(settings: Settings) -> Embedder:
    if settings.embedding.backend == "builtin":
        return MiniLMEmbedder(settings.storage.models_dir, threads=settings.embedding.threads)
    url, key = settings.llm.ollama_url, settings.llm.ollama_api_key.get_secret_value()
    return OllamaEmbedder(url, settings.embedding.model, timeout_s=settings.embedding.timeout_s, api_key=key)
