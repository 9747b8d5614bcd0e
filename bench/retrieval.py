"""Finding: how well dense, lexical and fused search find known answers, by weight and language.

    python -m bench.retrieval FOLDER [--depth 100]

FOLDER holds `cranfield/` (English, graded judgements) and `squad-it-dev.json` (Italian, one right paragraph a
question). Runs the product's own embedder, sparse encoder, embedded store and fusion; the weights in
`youworker_app/retrieval/fusion.py` come from here. Takes about a minute on one core.
"""

import argparse
import asyncio
import json
import math
import re
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from youworker_app.gateways.embeddings.minilm import MiniLMEmbedder
from youworker_app.gateways.vectors.embedded import EmbeddedVectorStore
from youworker_app.gateways.vectors.protocol import IndexInfo, VectorHit, VectorPoint, mint_access_filter
from youworker_app.gateways.vectors.sparse import SparseEncoder
from youworker_app.retrieval.fusion import fuse, lexical_weight

WEIGHTS = [step / 10 for step in range(11)]
LANGUAGES = ["en", "it"]
_SPACE = uuid.UUID(int=0)


@dataclass(frozen=True)
class Collection:
    """Texts by id, and questions with the gain of each text that answers them."""

    name: str
    language: str
    texts: Mapping[str, str]
    questions: Sequence[tuple[str, Mapping[str, int]]]


@dataclass(frozen=True)
class Found:
    """What the two searches found for one question, and the gains by chunk id."""

    dense: list[VectorHit]
    sparse: list[VectorHit]
    gains: Mapping[str, int]


def read_cranfield(folder: Path) -> Collection:
    """1,400 abstracts, 225 questions; a question's number is its position; the gain is 5 - grade."""
    texts = {}
    for record in re.split(r"^\.I ", (folder / "cran.all.1400").read_text(), flags=re.MULTILINE)[1:]:
        number, body = record.split("\n", 1)
        title = body.split(".T\n", 1)[1].split("\n.A\n", 1)[0]
        # The title goes in front, as it does in front of a document's chunks.
        texts[number.strip()] = " ".join([*title.split(), *body.split("\n.W\n", 1)[1].split()])
    gains: dict[int, dict[str, int]] = defaultdict(dict)
    for line in (folder / "cranqrel").read_text().splitlines():
        question, text, grade = line.split()[:3]
        gains[int(question)][text] = 5 - int(grade) if int(grade) > 0 else 0
    asked = re.split(r"^\.I ", (folder / "cran.qry").read_text(), flags=re.MULTILINE)[1:]
    questions = [
        (" ".join(body.split("\n.W\n", 1)[1].split()), gains[place])
        for place, body in enumerate(asked, start=1)
    ]
    return Collection("cranfield", "en", texts, questions)


def read_squad_it(file: Path) -> Collection:
    """413 paragraphs, 1,496 questions with one right paragraph each."""
    content = json.loads(file.read_text())
    texts = {str(number): text for number, text in enumerate(content["texts"])}
    return Collection(
        "squad-it",
        "it",
        texts,
        [(asked["question"], {str(asked["text"]): 1}) for asked in content["questions"]],
    )


async def search_all(
    collections: Sequence[Collection], embedder: MiniLMEmbedder, folder: Path, depth: int
) -> dict[str, list[Found]]:
    """Puts the collections into one index and asks all their questions; `depth` candidates from each search."""
    store, encoder = EmbeddedVectorStore(folder), SparseEncoder(b"a key for measurements")
    await store.prepare(IndexInfo(embedder.model_id, await embedder.dimension()))
    everyone = mint_access_filter({"u:bench"})
    for collection in collections:
        vectors = await embedder.embed_documents(list(collection.texts.values()))
        await store.upsert(
            [
                VectorPoint(
                    _id(collection, key),
                    key,
                    ("u:bench",),
                    vector,
                    encoder.encode_document(text, collection.language),
                )
                for (key, text), vector in zip(collection.texts.items(), vectors, strict=True)
            ]
        )
    found: dict[str, list[Found]] = {}
    for collection in collections:
        found[collection.name] = [
            Found(
                await store.search_dense(await embedder.embed_query(question), everyone, limit=depth),
                await store.search_sparse(encoder.encode_query(question, LANGUAGES), everyone, limit=depth),
                {_id(collection, key): gain for key, gain in gains.items()},
            )
            for question, gains in collection.questions
        ]
    await store.close()
    return found


def _id(collection: Collection, key: str) -> str:
    return str(uuid.uuid5(_SPACE, f"{collection.name}/{key}"))


def ndcg(ranked: Sequence[VectorHit], gains: Mapping[str, int], depth: int = 10) -> float:
    """Normalised discounted cumulative gain (Järvelin and Kekäläinen 2002), 0 to 1."""
    best = sorted(gains.values(), reverse=True)[:depth]
    ideal = sum(gain / math.log2(place + 2) for place, gain in enumerate(best))
    gained = sum(
        gains.get(hit.chunk_id, 0) / math.log2(place + 2) for place, hit in enumerate(ranked[:depth])
    )
    return gained / ideal if ideal else 0.0


def hit_at(ranked: Sequence[VectorHit], gains: Mapping[str, int], depth: int) -> bool:
    """Whether one of the first `depth` answers."""
    return any(gains.get(hit.chunk_id, 0) > 0 for hit in ranked[:depth])


def report(title: str, found: Sequence[Found], weights: Sequence[float]) -> None:
    """One line a weight: nDCG@10, hit@1, hit@5, means over the questions."""
    print(f"\n{title}, {len(found)} questions\nlexical weight  nDCG@10  hit@1  hit@5")
    for weight in weights:
        ranked = [(fuse(one.dense, one.sparse, lexical_weight=weight, limit=10), one.gains) for one in found]
        means = (
            sum(measured) / len(ranked)
            for measured in (
                [ndcg(hits, gains) for hits, gains in ranked],
                [hit_at(hits, gains, 1) for hits, gains in ranked],
                [hit_at(hits, gains, 5) for hits, gains in ranked],
            )
        )
        print("{:14.1f}  {:7.3f}  {:5.3f}  {:5.3f}".format(weight, *means))


async def main() -> None:
    """Each collection alone at every weight, then both in one index at the product's weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--depth", type=int, default=100)
    chosen = parser.parse_args()
    collections = [
        read_cranfield(chosen.folder / "cranfield"),
        read_squad_it(chosen.folder / "squad-it-dev.json"),
    ]
    with tempfile.TemporaryDirectory() as scratch:
        embedder = MiniLMEmbedder(Path(scratch))
        for collection in collections:
            alone = await search_all([collection], embedder, Path(scratch) / collection.name, chosen.depth)
            report(f"{collection.name} ({collection.language}) alone", alone[collection.name], WEIGHTS)
        together = await search_all(collections, embedder, Path(scratch) / "together", chosen.depth)
        for collection in collections:
            weight = lexical_weight(collection.language)
            report(f"{collection.name} with the other in the index", together[collection.name], [weight])
        await embedder.close()


if __name__ == "__main__":
    asyncio.run(main())
