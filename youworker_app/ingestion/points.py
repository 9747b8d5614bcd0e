"""Passages become the points of the index: the one place that says what of a passage is embedded."""

from collections.abc import Sequence

from youworker_app.documents.schemas import PlainPassage, SourceFile
from youworker_app.gateways.embeddings.protocol import Embedder
from youworker_app.gateways.vectors.protocol import VectorPoint
from youworker_app.gateways.vectors.sparse import SparseEncoder
from youworker_app.ingestion.chunking import embedding_text

BATCH = 32
"""Passages embedded at once: about a quarter of a second of the built-in model."""


async def points_of(
    embedder: Embedder, sparse: SparseEncoder, source: SourceFile, batch: Sequence[PlainPassage]
) -> list[VectorPoint]:
    """The points of a batch of passages, in their order. Raises the embedder's errors."""
    return await points_of_many(embedder, sparse, [(source, passage) for passage in batch])


async def points_of_many(
    embedder: Embedder, sparse: SparseEncoder, batch: Sequence[tuple[SourceFile, PlainPassage]]
) -> list[VectorPoint]:
    """The same for passages of several documents."""
    texts = [
        embedding_text(source.title, passage.locator.section or None, passage.text)
        for source, passage in batch
    ]
    dense = await embedder.embed_documents(texts)
    return [
        VectorPoint(
            chunk_id=passage.chunk_id,
            document_id=source.document_id,
            visibility=source.visibility,
            dense=dense[index],
            sparse=sparse.encode_document(texts[index], source.language),
        )
        for index, (source, passage) in enumerate(batch)
    ]
