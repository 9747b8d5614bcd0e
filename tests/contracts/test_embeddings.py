"""What every `Embedder` must do, run on the in-memory one, MiniLM and Ollama; then what each one alone promises."""

import asyncio
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.fake_ollama import OUT_OF_MEMORY, fake_ollama
from tests.model_server.foreign import dead_url, foreign
from youworker_app.core.errors import AppError
from youworker_app.core.telemetry import correlation_id
from youworker_app.gateways.embeddings import ollama as ollama_embeddings
from youworker_app.gateways.embeddings.errors import (
    EmbeddingAway,
    EmbeddingDimensionChanged,
    EmbeddingFailed,
    EmbeddingModelMissing,
    EmbeddingOutOfMemory,
    EmbeddingSlow,
)
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.embeddings.minilm import MiniLMEmbedder
from youworker_app.gateways.embeddings.ollama import OllamaEmbedder
from youworker_app.gateways.embeddings.protocol import Embedder

TEXTS = [
    "The invoice must be paid within thirty days.",
    "Cats sleep for most of the day.",
    "La fattura va pagata entro trenta giorni.",
]


@pytest.fixture(scope="session")
def graph_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(params=["memory", "minilm", "ollama"])
async def embedder(request: pytest.FixtureRequest, graph_cache: Path) -> AsyncIterator[Embedder]:
    made: Embedder
    match request.param:
        case "memory":
            made = InMemoryEmbedder()
        case "minilm":
            made = MiniLMEmbedder(graph_cache)
        case _:
            made = OllamaEmbedder(request.getfixturevalue("ollama_url"), "all-minilm")
    yield made
    await made.close()


@pytest.fixture
async def ollama(ollama_url: str) -> AsyncIterator[OllamaEmbedder]:
    made = OllamaEmbedder(ollama_url, "all-minilm")
    yield made
    await made.close()


def _embed_count(url: str) -> int:
    count: int = httpx.get(f"{url}/_stats", trust_env=False).json()["embed"]
    return count


async def _fault(url: str, kind: str, after: int = 0) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        (await client.post(f"{url}/_fault", json={"kind": kind, "after": after})).raise_for_status()


# --- every embedder


async def test_documents_are_rows_of_length_one(embedder: Embedder) -> None:
    rows = await embedder.embed_documents(TEXTS)
    assert rows.shape == (3, await embedder.dimension())
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)


async def test_a_query_is_one_vector_of_length_one(embedder: Embedder) -> None:
    vector = await embedder.embed_query("When is the invoice due?")
    assert vector.shape == (await embedder.dimension(),)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)


async def test_the_fitting_text_is_nearest(embedder: Embedder) -> None:
    rows = await embedder.embed_documents(TEXTS)
    invoice, cats, _ = rows @ await embedder.embed_query("How many days until the invoice must be paid?")
    assert invoice > cats + 0.2


async def test_rows_keep_the_order_whatever_stands_beside_them(embedder: Embedder) -> None:
    many = [f"{TEXTS[number % 3]} Number {number}." for number in range(20)]
    together = await embedder.embed_documents(many)
    alone = np.concatenate([await embedder.embed_documents([text]) for text in many])
    np.testing.assert_allclose(together, alone, atol=1e-3)


async def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    assert (await embedder.embed_documents([])).shape == (0, await embedder.dimension())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n\t",
        "half a pair \ud800 of surrogates",
        "a\x00b",
        "\u202eright to left",
        "word " * 200_000,
        "x" * 500_000,
    ],
    ids=["empty", "blank", "surrogate", "nul", "direction", "megabyte", "one long word"],
)
async def test_any_text_has_a_direction(embedder: Embedder, text: str) -> None:
    rows = await embedder.embed_documents([text])
    assert np.isfinite(rows).all()
    assert np.linalg.norm(rows[0]) == pytest.approx(1, abs=1e-4)
    assert np.isfinite(await embedder.embed_query(text)).all()


async def test_many_at_once(embedder: Embedder) -> None:
    results = await asyncio.gather(*(embedder.embed_documents([text]) for text in TEXTS * 5))
    expected = await embedder.embed_documents(TEXTS)
    for index, rows in enumerate(results):
        np.testing.assert_allclose(rows[0], expected[index % 3], atol=1e-3)


def test_spaces_have_names(graph_cache: Path) -> None:
    names = {InMemoryEmbedder().model_id, MiniLMEmbedder(graph_cache).model_id}
    names |= {OllamaEmbedder(dead_url(), model).model_id for model in ("a", "b")}
    assert names == {"memory-words-64", "minilm-l6-v2-int8", "ollama:a", "ollama:b"}


# --- the in-memory one


async def test_memory_counts_what_it_was_asked() -> None:
    embedder = InMemoryEmbedder()
    await embedder.embed_documents(TEXTS)
    await embedder.embed_documents([])
    await embedder.embed_query("x")
    assert (embedder.document_calls, embedder.texts_embedded, embedder.query_calls) == (2, 3, 1)


# --- Ollama


async def test_ollama_vectors_are_those_of_the_model_behind_it(
    ollama: OllamaEmbedder, graph_cache: Path
) -> None:
    built_in = MiniLMEmbedder(graph_cache)
    expected = await built_in.embed_documents(TEXTS)
    await built_in.close()
    np.testing.assert_allclose(await ollama.embed_documents(TEXTS), expected, atol=1e-4)


async def test_ollama_gets_documents_in_batches(ollama: OllamaEmbedder, ollama_url: str) -> None:
    before = _embed_count(ollama_url)
    await ollama.embed_documents(["a few words"] * 80)
    assert _embed_count(ollama_url) - before == 3


async def test_ollama_is_asked_again_after_a_short_absence(ollama: OllamaEmbedder, ollama_url: str) -> None:
    before = _embed_count(ollama_url)
    await _fault(ollama_url, "away")
    assert (await ollama.embed_query("still there?")).shape == (384,)
    assert _embed_count(ollama_url) - before == 2


async def test_ollama_away() -> None:
    embedder = OllamaEmbedder("http://admin:secret@127.0.0.1:1", "all-minilm")
    with pytest.raises(EmbeddingAway) as caught:
        await embedder.embed_query("x")
    await embedder.close()
    assert "127.0.0.1:1" in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere a full queue refuses, which is told the same way"
)
async def test_ollama_does_not_take_the_connection() -> None:
    """Nobody there, and not a model that is slow: what asks again for the one waits for the other."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        embedder = OllamaEmbedder(f"http://127.0.0.1:{full.getsockname()[1]}", "x", connect_timeout_s=0.05)
        with pytest.raises(EmbeddingAway):
            await embedder.embed_query("x")
        await embedder.close()


@pytest.mark.parametrize(
    ("refusal", "expected", "said"),
    [
        ((500, OUT_OF_MEMORY), EmbeddingOutOfMemory, "too little free memory"),
        ((503, "busy"), EmbeddingAway, "cannot be reached"),
        ((404, "gone"), EmbeddingModelMissing, "ollama pull nomic-embed-text"),
        ((500, "no\nroom " + "x" * 200_000), EmbeddingFailed, "failed: no room x{192}$"),
    ],
)
async def test_ollama_refuses(refusal: tuple[int, str], expected: type[AppError], said: str) -> None:
    with fake_ollama(embed_error=refusal) as fake:
        embedder = OllamaEmbedder(fake.url, "nomic-embed-text")
        with pytest.raises(expected, match=said):
            await embedder.embed_query("x")
        await embedder.close()


async def test_ollama_without_the_model_says_how_to_get_it(ollama_url: str) -> None:
    embedder = OllamaEmbedder(ollama_url, "nomic-embed-text")
    with pytest.raises(EmbeddingModelMissing, match="ollama pull nomic-embed-text"):
        await embedder.dimension()
    await embedder.close()


async def test_ollama_model_that_cannot_embed(ollama_url: str) -> None:
    embedder = OllamaEmbedder(ollama_url, "smollm2:135m")
    with pytest.raises(EmbeddingFailed, match="does not support embeddings"):
        await embedder.embed_query("x")
    await embedder.close()


async def test_ollama_model_changes_its_dimension(ollama: OllamaEmbedder, ollama_url: str) -> None:
    await ollama.embed_query("x")
    await _fault(ollama_url, "garbage", after=7)
    with pytest.raises(EmbeddingDimensionChanged) as caught:
        await ollama.embed_documents(["x"])
    assert caught.value.details == {"model": "all-minilm", "expected": 384, "found": 7}
    assert await ollama.dimension() == 384


async def test_ollama_silent() -> None:
    async with foreign(None) as server:
        embedder = OllamaEmbedder(server.url, "all-minilm", timeout_s=0.2)
        with pytest.raises(EmbeddingSlow, match=r"0\.2 seconds"):
            await embedder.embed_query("x")
        await embedder.close()
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"embeddings": []}',
        b'{"embeddings": [[]]}',
        b'{"embeddings": [[0.0, 0.0]]}',
        b'{"embeddings": [[1.0], [1.0]]}',
        b'{"embeddings": [[1e999]]}',
        b'{"embeddings": [1.0]}',
        b'{"embeddings": 1.0}',
        b'{"embeddings": [["one"]]}',
        b'{"embeddings": [[1.0, [1.0]]]}',
        b'{"embeddings": [[null]]}',
    ],
)
async def test_ollama_answers_nonsense(answer: bytes) -> None:
    async with foreign(answer) as server:
        embedder = OllamaEmbedder(server.url, "all-minilm")
        with pytest.raises(EmbeddingFailed):
            await embedder.embed_query("x")
        await embedder.close()


async def test_ollama_answers_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ollama_embeddings, "_MOST_BYTES", 1_000)
    async with foreign(b'{"embeddings": [[1.0, 1.0]]}' + b" " * 1_000) as server:
        embedder = OllamaEmbedder(server.url, "all-minilm")
        with pytest.raises(EmbeddingFailed, match="not Ollama's"):
            await embedder.embed_query("x")
        await embedder.close()


@pytest.mark.parametrize("late", [b"", b"\n"])
async def test_ollama_is_asked_over_one_connection(late: bytes) -> None:
    async with foreign(b'{"embeddings": [[1.0, 1.0]]}', late=late) as server:
        embedder = OllamaEmbedder(server.url, "all-minilm")
        for _ in range(3):
            await embedder.embed_query("x")
        await embedder.close()
    assert (len(server.requests), server.connections) == (3, 1)


@pytest.mark.parametrize(("key", "expected"), [("k-1", "Bearer k-1"), ("", "Basic YW5uYTpzZWNyZXQ=")])
async def test_ollama_behind_a_proxy_gets_the_key(key: str, expected: str) -> None:
    async with foreign(b'{"embeddings": [[1.0, 1.0]]}') as server:
        embedder = OllamaEmbedder(server.url.replace("//", "//anna:secret@"), "all-minilm", api_key=key)
        await embedder.embed_query("x")
        await embedder.close()
    assert f"authorization: {expected}\r\n" in server.requests[0].replace("Authorization", "authorization")


async def test_ollama_gets_the_marks_its_model_was_trained_with() -> None:
    async with foreign(b'{"embeddings": [[1.0, 1.0]]}') as server:
        embedder = OllamaEmbedder(server.url, "someone/nomic-embed-text:v1.5")
        await embedder.embed_documents(["a text"])
        await embedder.embed_query("a question")
        await embedder.close()
    assert '"search_document: a text"' in server.requests[0]
    assert '"search_query: a question"' in server.requests[1]


async def test_ollama_gets_the_correlation_id_and_no_proxy_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", dead_url())
    monkeypatch.setenv("ALL_PROXY", dead_url())
    token = correlation_id.set("c-1")
    async with foreign(b'{"embeddings": [[1.0, 1.0]]}') as server:
        embedder = OllamaEmbedder(server.url, "all-minilm")
        await embedder.embed_query("x")
        await embedder.close()
    correlation_id.reset(token)
    assert "x-correlation-id: c-1" in server.requests[0].lower()


async def test_ollama_cannot_send_texts_elsewhere() -> None:
    async with (
        foreign(b'{"embeddings": [[1.0, 1.0]]}') as elsewhere,
        foreign(b"", redirect_to=elsewhere.url) as server,
    ):
        embedder = OllamaEmbedder(server.url, "all-minilm")
        with pytest.raises(EmbeddingFailed):
            await embedder.embed_query("x")
        await embedder.close()
    assert elsewhere.requests == []


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a niceness of its own on Linux")
async def test_embedding_documents_gives_way_to_all_else(tmp_path: Path) -> None:
    embedder = MiniLMEmbedder(tmp_path)

    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    usual = niceness()
    assert embedder._documents.submit(niceness).result() > usual
    assert embedder._queries.submit(niceness).result() == usual
    await embedder.close()
