"""Finding the passages that answer a question, within what the asker may see.

Owns the order of the steps. Decides nothing about sight: the vector store is asked under the filter that access mints,
and only what the documents service reads back is ever shown.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from youworker_app.access.actor import Actor, Scope, require_scope
from youworker_app.access.vectors import access_filter
from youworker_app.core.errors import AppError, DependencyAway
from youworker_app.core.telemetry import get_logger
from youworker_app.documents.schemas import DocumentFilter, Passage
from youworker_app.gateways.embeddings.errors import EmbeddingDimensionChanged
from youworker_app.gateways.embeddings.protocol import Embedder, Vectors
from youworker_app.gateways.vectors.protocol import VectorHit, VectorStore
from youworker_app.gateways.vectors.sparse import SparseEncoder
from youworker_app.retrieval.candidates import Ranked, rank
from youworker_app.retrieval.errors import QueryEmpty, QueryTooLong, SearchLimitInvalid
from youworker_app.retrieval.fusion import fuse, lexical_weight
from youworker_app.retrieval.language import question_language
from youworker_app.retrieval.library import Library
from youworker_app.retrieval.schemas import SearchQuery
from youworker_app.retrieval.selection import diverse, without_repetitions
from youworker_app.retrieval.telling import Sentence, split_sentences
from youworker_app.retrieval.terms import TermReader, query_terms

log = get_logger(__name__)

MAX_QUERY_CHARS = 16_000
MAX_LIMIT = 50

_DEPTH = 100  # hits asked of each search
_FEWEST_READ = 24  # candidates that are read and looked at again
_LANGUAGES_FOR_S = 30.0
_HAVING_FOR_S, _MOST_REMEMBERED = 30.0, 10_000
# Of a pasted letter its last questions are searched for, or its start and end when it has none.
_HEAD_CHARS, _TAIL_CHARS, _MOST_QUESTIONS = 1_000, 1_000, 3
_MOST_SENTENCES = 12  # that are embedded, where no word tells which one answers
# What stands in the way of a search by meaning and leaves the one by words.
_LEAVES_WORDS = (DependencyAway, EmbeddingDimensionChanged)
_MOST_TAGS = 50  # a document has no more

# Told of each search by name: who asked, and how many passages there were.
SearchTold: TypeAlias = Callable[[Actor, int], None]


@dataclass(frozen=True)
class _Asked:
    """`allowed`: the documents to search; None for all that the asker may see."""

    text: str
    language: str
    languages: tuple[str, ...]
    limit: int
    allowed: Collection[str] | None


@dataclass(frozen=True)
class _Hits:
    """`question` is its vector; None while the embedder is away, for the reason in `failure`."""

    dense: list[VectorHit]
    sparse: list[VectorHit]
    question: Vectors | None
    failure: AppError | None


class RetrievalService:
    """Hybrid search: vectors and BM25, fused, read again from the database, looked at again word by word."""

    def __init__(
        self,
        documents: Library,
        embedder: Embedder,
        vectors: VectorStore,
        sparse: SparseEncoder,
        *,
        max_query_chars: int = MAX_QUERY_CHARS,
        told: SearchTold = lambda _actor, _count: None,
    ) -> None:
        self._library, self._embedder, self._vectors, self._sparse = documents, embedder, vectors, sparse
        self._max_query_chars, self._told = max_query_chars, told
        self._reader = TermReader(sparse)
        self._languages: tuple[float, tuple[str, ...]] = (float("-inf"), ())
        self._having: dict[str, float] = {}

    async def search(self, actor: Actor, query: SearchQuery) -> tuple[Passage, ...]:
        """Like `find`, for whoever asks for it by name. Raises ScopeMissing as well."""
        require_scope(actor, Scope.DOCUMENTS_READ)
        found = await self.find(actor, query)
        self._told(actor, len(found))
        return found

    async def find(self, actor: Actor, query: SearchQuery) -> tuple[Passage, ...]:
        """The passages that answer, best first, with scores from 0 to 1; () when nothing good is there.

        `mark_start` and `mark_end` frame the sentence that tells, as offsets in the passage's text; None where none
        does. Asks for one embedding and at most four searches, however many documents there are.

        Raises:
            QueryEmpty, QueryTooLong, SearchLimitInvalid: 422.
            VectorStoreAway, or an embedder's errors: 503; while the embedder is away the words alone are searched,
                and its error is raised only when they find nothing.
        """
        self._check(query)
        begun = time.monotonic()
        allowed = await self._narrowed(actor, query)
        if (allowed is not None and not allowed) or not await self._has_documents(actor):
            return ()
        text, languages = _focused(query.query), await self._known_languages()
        language = await question_language(text, languages)
        asked = _Asked(text, language, languages, query.limit, allowed)
        ranked, hits = await self._ranked(actor, asked)
        found = await self._chosen(ranked, query.limit, hits.question)
        log.info("searched", found=len(found), good=len(ranked), language=asked.language, ms=_ms_since(begun))
        if hits.failure is not None and not found:
            raise hits.failure
        return tuple(found)

    def _check(self, query: SearchQuery) -> None:
        if not 1 <= query.limit <= MAX_LIMIT:
            raise SearchLimitInvalid(highest=MAX_LIMIT)
        if len(query.query) > self._max_query_chars:
            raise QueryTooLong(max_chars=self._max_query_chars, chars=len(query.query))
        if not query.query.strip():
            raise QueryEmpty

    async def _narrowed(self, actor: Actor, query: SearchQuery) -> frozenset[str] | None:
        """The documents that the query allows; None when it does not narrow."""
        named = None if query.document_ids is None else frozenset(query.document_ids)
        if query.group_ids is None and query.tags is None and query.collection is None:
            return named
        groups = None if query.group_ids is None else frozenset(query.group_ids) & actor.group_ids
        tags: tuple[str | None, ...] = (None,) if query.tags is None else tuple(dict.fromkeys(query.tags))
        asked = [tag for tag in (*tags, query.collection) if tag is not None]
        is_hopeless = (groups is not None and not groups) or not 1 <= len(tags) <= _MOST_TAGS
        if is_hopeless or not all(map(_is_storable, asked)):
            return frozenset()
        for tag in tags:
            wanted = DocumentFilter(tag=tag, collection=query.collection)
            having = frozenset(await self._library.find_documents(actor, wanted, groups))
            named = having if named is None else named & having
        return named

    async def _ranked(self, actor: Actor, asked: _Asked) -> tuple[list[Ranked], _Hits]:
        hits = await self._hits(actor, asked)
        weight, size = lexical_weight(asked.language), max(_FEWEST_READ, 2 * asked.limit)
        fused = fuse(hits.dense, hits.sparse, lexical_weight=weight, limit=size)
        passages = await self._library.read_passages(actor, [hit.chunk_id for hit in fused])
        if asked.allowed is None and len(passages) < min(asked.limit, len(fused)):
            # What the store still holds and the asker may not be answered from has taken the place of the rest.
            within = await self._library.find_documents(actor, DocumentFilter())
            return await self._ranked(actor, replace(asked, allowed=frozenset(within)))
        cosines = {hit.chunk_id: hit.score for hit in hits.dense}
        return rank(self._reader, asked.text, asked.language, fused, passages, cosines), hits

    async def _hits(self, actor: Actor, asked: _Asked) -> _Hits:
        access = access_filter(actor)
        terms = query_terms(self._sparse, asked.text, asked.language, asked.languages)

        async def near() -> tuple[Vectors, list[VectorHit]]:
            question = await self._embedder.embed_query(asked.text)
            return question, await self._vectors.search_dense(
                question, access, limit=_DEPTH, document_ids=asked.allowed
            )

        worded = self._vectors.search_sparse(terms, access, limit=_DEPTH, document_ids=asked.allowed)
        dense, sparse = await asyncio.gather(near(), worded, return_exceptions=True)
        if isinstance(sparse, BaseException):
            raise sparse
        if isinstance(dense, _LEAVES_WORDS):
            log.warning("searched_without_vectors", code=dense.code)
            return _Hits([], sparse, None, dense)
        if isinstance(dense, BaseException):
            raise dense
        return _Hits(dense[1], sparse, dense[0], None)

    async def _chosen(self, ranked: Sequence[Ranked], limit: int, question: Vectors | None) -> list[Passage]:
        chosen = diverse(without_repetitions(ranked), limit)
        marks = [one.sentence for one in chosen]
        if chosen and marks[0] is None and question is not None:
            marks[0] = await self._nearest_sentence(chosen[0].passage, question)
        return [_shown(one, mark) for one, mark in zip(chosen, marks, strict=True)]

    async def _nearest_sentence(self, passage: Passage, question: Vectors) -> Sentence | None:
        """For a passage that answers in other words."""
        sentences = split_sentences(passage.text)[:_MOST_SENTENCES]
        if len(sentences) < 2:
            return sentences[0] if sentences else None
        try:
            rows = await self._embedder.embed_documents(
                [passage.text[one.start : one.end] for one in sentences]
            )
        except _LEAVES_WORDS:
            return None
        return sentences[int(np.argmax(rows @ question))]

    async def _has_documents(self, actor: Actor) -> bool:
        """Whether a search can find anything: who has no document waits for no embedding.

        A yes is remembered for a while, since an old one costs a search and shows nothing; a no never, so that the first
        upload is found at once.
        """
        moment = time.monotonic()
        if self._having.get(actor.user_id, float("-inf")) > moment:
            return True
        if not await self._library.has_documents(actor):
            return False
        if len(self._having) >= _MOST_REMEMBERED:
            self._having.clear()
        self._having[actor.user_id] = moment + _HAVING_FOR_S
        return True

    async def _known_languages(self) -> tuple[str, ...]:
        until, known = self._languages
        if until <= time.monotonic():
            known = tuple(sorted(await self._library.document_languages()))
            self._languages = (time.monotonic() + _LANGUAGES_FOR_S, known)
        return known


def _focused(text: str) -> str:
    if len(text) <= _HEAD_CHARS + _TAIL_CHARS:
        return text
    sentences = [text[one.start : one.end] for one in split_sentences(text)]
    asked = " ".join([one for one in sentences if one.endswith("?")][-_MOST_QUESTIONS:])
    return asked if 0 < len(asked) <= _TAIL_CHARS else f"{text[:_HEAD_CHARS]} {text[-_TAIL_CHARS:]}"


def _is_storable(text: str) -> bool:
    """No database holds a NUL or half a surrogate pair, and PostgreSQL refuses to be asked for one."""
    return "\0" not in text and text.encode(errors="replace").decode() == text


def _shown(one: Ranked, mark: Sentence | None) -> Passage:
    if mark is None:
        return replace(one.passage, score=one.score)
    return replace(one.passage, score=one.score, mark_start=mark.start, mark_end=mark.end)


def _ms_since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1_000)
