"""Passages, an index and a retrieval service in plain memory."""

from collections.abc import Mapping, Sequence
from uuid import UUID, uuid5

from youworker_app.access.actor import Actor
from youworker_app.access.vectors import visibility_of
from youworker_app.documents.schemas import Locator, Passage
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.embeddings.protocol import Embedder
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.gateways.vectors.protocol import IndexInfo, VectorPoint, VectorStore
from youworker_app.gateways.vectors.sparse import SparseEncoder
from youworker_app.retrieval.library import MemoryLibrary
from youworker_app.retrieval.service import RetrievalService

ANNA = Actor(user_id="anna", username="anna")
SPARSE = SparseEncoder(b"a key for the tests")


def passage(
    text: str,
    *,
    document: str = "doc",
    number: int = 0,
    language: str = "en",
    group_id: str | None = None,
    score: float = 0.0,
) -> Passage:
    """A passage that its reader may see."""
    return Passage(
        chunk_id=str(uuid5(UUID(int=0), f"{document}/{number}/{text}")),
        document_id=document,
        file_id=f"file-{document}",
        filename=f"{document}.txt",
        title=document,
        page=number + 1,
        locator=Locator("page", str(number + 1)),
        text=text,
        group_id=group_id,
        is_private=group_id is None,
        can_view=True,
        can_download=True,
        language=language,
        ordinal=number,
        mime_type="text/plain",
        score=score,
    )


def numbered(texts: Sequence[str], *, document: str = "doc", language: str = "en") -> list[Passage]:
    """Passages of one document."""
    return [passage(text, document=document, number=n, language=language) for n, text in enumerate(texts)]


class Shelf:
    """Passages of several owners, indexed, and the service over them."""

    def __init__(
        self,
        passages: Sequence[Passage],
        *,
        owners: Mapping[str, str] | None = None,
        tags: Mapping[str, frozenset[str]] | None = None,
        embedder: Embedder | None = None,
        store: VectorStore | None = None,
        max_query_chars: int = 16_000,
    ) -> None:
        self.passages = list(passages)
        self.owners = owners or {one.document_id: "anna" for one in passages}
        self.library = MemoryLibrary(self.passages, owners=self.owners, tags=tags)
        self.store = store or MemoryVectorStore()
        self.embedder = embedder or InMemoryEmbedder()
        self.service = RetrievalService(
            self.library, self.embedder, self.store, SPARSE, max_query_chars=max_query_chars
        )

    async def fill(self) -> "Shelf":
        embedder = InMemoryEmbedder()
        await self.store.prepare(IndexInfo(embedder.model_id, await embedder.dimension()))
        rows = await embedder.embed_documents([one.text for one in self.passages])
        await self.store.upsert(
            [
                VectorPoint(
                    one.chunk_id,
                    one.document_id,
                    visibility_of(
                        owner_id=self.owners.get(one.document_id, ""),
                        group_id=one.group_id,
                        is_private=one.is_private,
                    ),
                    row,
                    SPARSE.encode_document(one.text, one.language),
                )
                for one, row in zip(self.passages, rows, strict=True)
            ]
        )
        return self
