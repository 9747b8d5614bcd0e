"""Answering: how often the passage that answers stands first, its sentence is marked, and nothing is found where nothing is.

    python -m bench.answers FOLDER [--part N]

FOLDER holds `cranfield/` and `squad-it-dev.json`. Runs the product's own RetrievalService with the built-in embedder and
the embedded store over both collections, each in an index of its own, four texts to a document. `--part N` asks every
N-th question only. The numbers in `youworker_app/retrieval/{candidates,confidence,selection}.py` come from here.
"""

import argparse
import asyncio
import json
import os
import platform
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid5

from bench.retrieval import Collection, hit_at, ndcg, read_cranfield, read_squad_it
from youworker_app.access.actor import Actor
from youworker_app.access.vectors import access_filter, visibility_of
from youworker_app.documents.schemas import Locator, Passage
from youworker_app.gateways.embeddings.minilm import MiniLMEmbedder
from youworker_app.gateways.vectors.embedded import EmbeddedVectorStore
from youworker_app.gateways.vectors.protocol import IndexInfo, VectorHit, VectorPoint
from youworker_app.gateways.vectors.sparse import SparseEncoder
from youworker_app.retrieval.fusion import fuse, lexical_weight
from youworker_app.retrieval.library import MemoryLibrary
from youworker_app.retrieval.schemas import SearchQuery
from youworker_app.retrieval.service import RetrievalService
from youworker_app.retrieval.telling import split_sentences

ASKER = Actor(user_id="bench", username="bench")
_SPACE = UUID(int=0)
_TEXTS_IN_A_DOCUMENT = 4


@dataclass(frozen=True)
class Asked:
    """A question, what was found, what plain fusion would have found, gains by chunk id, answers if known, seconds."""

    question: str
    found: tuple[Passage, ...]
    fused: list[VectorHit]
    gains: Mapping[str, int]
    answers: tuple[str, ...]
    seconds: float

    @property
    def hits(self) -> list[VectorHit]:
        return [VectorHit(passage.chunk_id, passage.document_id, passage.score) for passage in self.found]


class Bench:
    """One collection in an index."""

    def __init__(self, collection: Collection, embedder: MiniLMEmbedder, folder: Path) -> None:
        self.collection, self._embedder = collection, embedder
        self._store, self._sparse = EmbeddedVectorStore(folder), SparseEncoder(b"a key for measurements")
        self._passages = [_passage(collection, key, text) for key, text in collection.texts.items()]
        owners = {passage.document_id: ASKER.user_id for passage in self._passages}
        library = MemoryLibrary(self._passages, owners=owners)
        self.service = RetrievalService(library, embedder, self._store, self._sparse)

    async def fill(self) -> None:
        await self._store.prepare(IndexInfo(self._embedder.model_id, await self._embedder.dimension()))
        rows = await self._embedder.embed_documents([passage.text for passage in self._passages])
        who = visibility_of(owner_id=ASKER.user_id, group_id=None, is_private=True)
        await self._store.upsert(
            [
                VectorPoint(
                    p.chunk_id, p.document_id, who, row, self._sparse.encode_document(p.text, p.language)
                )
                for p, row in zip(self._passages, rows, strict=True)
            ]
        )

    async def ask(
        self, question: str, *, limit: int = 10, document_ids: tuple[str, ...] | None = None
    ) -> tuple[Passage, ...]:
        return await self.service.find(ASKER, SearchQuery(question, limit, document_ids=document_ids))

    async def ask_all(self, part: int, answers: Mapping[str, tuple[str, ...]]) -> list[Asked]:
        asked = []
        for question, gains in self.collection.questions[::part]:
            begun = time.perf_counter()
            found = await self.ask(question)
            seconds = time.perf_counter() - begun
            by_chunk = {_id(self.collection, key): gain for key, gain in gains.items()}
            asked.append(
                Asked(
                    question, found, await self._fused(question), by_chunk, answers.get(question, ()), seconds
                )
            )
        return asked

    async def _fused(self, question: str) -> list[VectorHit]:
        seen, language = access_filter(ASKER), self.collection.language
        dense = await self._store.search_dense(await self._embedder.embed_query(question), seen, limit=100)
        sparse = await self._store.search_sparse(
            self._sparse.encode_query(question, [language]), seen, limit=50
        )
        return fuse(dense, sparse, lexical_weight=lexical_weight(language), limit=10)

    async def close(self) -> None:
        await self._store.close()


def _id(collection: Collection, key: str) -> str:
    return str(uuid5(_SPACE, f"{collection.name}/{key}"))


def _passage(collection: Collection, key: str, text: str) -> Passage:
    number = int(key)
    document = f"{collection.name}-{number // _TEXTS_IN_A_DOCUMENT}"
    return Passage(
        chunk_id=_id(collection, key),
        document_id=document,
        file_id=document,
        filename=f"{document}.txt",
        title=document,
        page=None,
        locator=Locator("part", str(number)),
        text=text,
        group_id=None,
        is_private=True,
        can_view=True,
        can_download=True,
        language=collection.language,
        ordinal=number,
        mime_type="text/plain",
    )


def ranking(name: str, asked: Sequence[Asked]) -> None:
    """hit@1, hit@5, nDCG@10: fusion alone and the service's order."""
    for label, ranked in (
        ("fusion alone", [one.fused for one in asked]),
        ("service", [one.hits for one in asked]),
    ):
        pairs = [(hits, one.gains) for hits, one in zip(ranked, asked, strict=True)]
        first = sum(hit_at(hits, gains, 1) for hits, gains in pairs) / len(pairs)
        five = sum(hit_at(hits, gains, 5) for hits, gains in pairs) / len(pairs)
        gained = sum(ndcg(hits, gains) for hits, gains in pairs) / len(pairs)
        print(
            f"{name:10} {label:13} hit@1 {first:.3f}  hit@5 {five:.3f}  nDCG@10 {gained:.3f}  ({len(pairs)} questions)"
        )


def speed(name: str, asked: Sequence[Asked]) -> None:
    """Milliseconds of a whole search."""
    seconds = sorted(one.seconds for one in asked)
    p50, p95 = (seconds[int(len(seconds) * share)] * 1_000 for share in (0.5, 0.95))
    print(f"{name:10} one search: p50 {p50:.1f} ms, p95 {p95:.1f} ms")


def telling(asked: Sequence[Asked]) -> None:
    """Whether the marked sentence holds the answer's words, and what marking the first sentence would reach."""
    pairs = [(one, passage) for one in asked for passage in one.found if one.gains.get(passage.chunk_id)]
    pairs = [(one, passage) for one, passage in pairs if len(split_sentences(passage.text)) > 1]
    marked = sum(
        _holds(passage.text[passage.mark_start or 0 : passage.mark_end or 0], one) for one, passage in pairs
    )
    first = 0
    for one, passage in pairs:
        sentence = split_sentences(passage.text)[0]
        first += _holds(passage.text[sentence.start : sentence.end], one)
    print(
        f"marked sentence holds the answer: {marked / len(pairs):.3f}; the first sentence would: {first / len(pairs):.3f}"
    )
    whole = sum(
        bool(one.found)
        and _holds(one.found[0].text[one.found[0].mark_start or 0 : one.found[0].mark_end or 0], one)
        for one in asked
    )
    print(f"first passage's marked sentence holds the answer: {whole / len(asked):.3f} of all questions")


def _holds(sentence: str, asked: Asked) -> bool:
    plain = " ".join(sentence.lower().split())
    return any(" ".join(answer.lower().split()) in plain for answer in asked.answers)


async def emptiness(
    bench: Bench, asked: Sequence[Asked], off_topic: Mapping[str, Mapping[str, Sequence[str]]]
) -> None:
    """Questions that find nothing: those that are answered here, and those that are not."""
    name = bench.collection.name
    empty = sum(not one.found for one in asked) / len(asked)
    print(f"{name:10} answered questions that find nothing: {empty:.3f}")
    few = [one for one in asked if any(gain > 0 for gain in one.gains.values())]
    alone = 0
    for one in few:
        best = max(one.gains, key=lambda chunk: one.gains[chunk])
        document = next((p.document_id for p in bench._passages if p.chunk_id == best), "")
        alone += not await bench.ask(one.question, document_ids=(document,))
    print(
        f"{name:10} the same, asked of the right document of {_TEXTS_IN_A_DOCUMENT} texts alone: {alone / len(few):.3f}"
    )
    for language, lists in off_topic.items():
        for kind, questions in lists.items():
            nothing = sum([not await bench.ask(question) for question in questions])
            print(f"{name:10} off-topic {language}, {kind}: {nothing} of {len(questions)} find nothing")


def machine() -> str:
    """What this ran on."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


async def main() -> None:
    """All measurements, in about two minutes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--part", type=int, default=1)
    chosen = parser.parse_args()
    squad = chosen.folder / "squad-it-dev.json"
    known = {one["question"]: tuple(one["answers"]) for one in json.loads(squad.read_text())["questions"]}
    off_topic = json.loads((Path(__file__).parent / "off_topic.json").read_text())["questions"]
    print(machine())
    with tempfile.TemporaryDirectory() as scratch:
        embedder = MiniLMEmbedder(Path(scratch))
        for collection in (read_cranfield(chosen.folder / "cranfield"), read_squad_it(squad)):
            bench = Bench(collection, embedder, Path(scratch) / collection.name)
            await bench.fill()
            asked = await bench.ask_all(chosen.part, known)
            ranking(collection.name, asked)
            speed(collection.name, asked)
            if asked[0].answers:
                telling(asked)
            await emptiness(bench, asked, off_topic)
            await bench.close()
        await embedder.close()


if __name__ == "__main__":
    asyncio.run(main())
