"""The built-in model computes what its weights say, keeps its graph sound, and does not make a question wait."""

import asyncio
import re
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from youworker_app.gateways.embeddings import model_files
from youworker_app.gateways.embeddings.errors import EmbeddingNotInstalled
from youworker_app.gateways.embeddings.minilm import MiniLMEmbedder
from youworker_app.gateways.embeddings.model_files import GRAPH_NAME, ensure_graph, package_folder
from youworker_app.gateways.embeddings.onnx_build import build_graph

TEXTS = [
    "The invoice must be paid within thirty days.",
    "Il contratto si rinnova ogni anno, salvo disdetta.",
    "apt-get",
    "Section 4.2 (b): liability is limited to 50 000 EUR; see appendix C. " * 9,
]
Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("minilm")
    ensure_graph(folder)
    return folder


@pytest.fixture(scope="module")
def ids() -> list[NDArray[np.int64]]:
    tokenizer = Tokenizer.from_file(str(package_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return [np.array([tokenizer.encode(text).ids], dtype=np.int64) for text in TEXTS]


@pytest.fixture(scope="module")
def reference(ids: list[NDArray[np.int64]]) -> Floats:
    """The model's published forward pass in float64 numpy, sharing no code with the graph."""
    weights = {
        name: value.astype(np.float64) for name, value in load_file(_weights()).items() if value.ndim < 3
    }
    return np.stack([_forward(weights, row[0]) for row in ids]).astype(np.float32)


def _weights() -> Path:
    return package_folder() / "model.safetensors"


def _forward(weights: dict[str, NDArray[np.float64]], ids: NDArray[np.int64]) -> NDArray[np.float64]:
    def norm(value: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        centred = value - value.mean(-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return np.asarray(centred / spread * weights[f"{name}.weight"] + weights[f"{name}.bias"])

    def dense(value: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        return np.asarray(value @ weights[f"{name}.weight"].T + weights[f"{name}.bias"])

    words = weights["embeddings.word_embeddings.weight"][ids]
    places = weights["embeddings.position_embeddings.weight"][: len(ids)]
    hidden = norm(
        words + places + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm"
    )
    for layer in (f"encoder.layer.{number}" for number in range(6)):
        query, key, value = (
            dense(hidden, f"{layer}.attention.self.{name}") for name in ("query", "key", "value")
        )
        heads = []
        for part in (slice(start, start + 32) for start in range(0, 384, 32)):
            scores = np.exp(query[:, part] @ key[:, part].T / np.sqrt(32))
            heads.append(scores / scores.sum(-1, keepdims=True) @ value[:, part])
        attended = dense(np.concatenate(heads, axis=-1), f"{layer}.attention.output.dense")
        hidden = norm(attended + hidden, f"{layer}.attention.output.LayerNorm")
        inner = dense(hidden, f"{layer}.intermediate.dense")
        gelu = 0.5 * inner * (1 + _erf(inner / np.sqrt(2)))
        hidden = norm(dense(gelu, f"{layer}.output.dense") + hidden, f"{layer}.output.LayerNorm")
    mean = hidden.mean(0)
    return np.asarray(mean / np.linalg.norm(mean))


def _erf(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Abramowitz and Stegun, 7.1.26: off by at most 1.5e-7."""
    t = 1 / (1 + 0.3275911 * np.abs(x))
    tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.asarray(np.sign(x) * (1 - tail * np.exp(-(x**2))))


def _run(graph: bytes, ids: list[NDArray[np.int64]]) -> Floats:
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"ids": row})[0] for row in ids])


def test_the_graph_computes_the_published_model(ids: list[NDArray[np.int64]], reference: Floats) -> None:
    np.testing.assert_allclose(_run(build_graph(_weights(), quantised=False), ids), reference, atol=2e-5)


async def test_int8_stays_near_the_published_model(cache: Path, reference: Floats) -> None:
    embedder = MiniLMEmbedder(cache)
    cosines = (await embedder.embed_documents(TEXTS) * reference).sum(axis=1)
    await embedder.close()
    assert cosines.min() > 0.98, cosines


async def test_reads_256_tokens(cache: Path) -> None:
    """The tokenizer's own file stops at 128."""
    embedder = MiniLMEmbedder(cache)
    start, more, beyond = await embedder.embed_documents(
        ["pay " * 150 + end for end in ("", "cats " * 104, "cats " * 104 + "dogs " * 50)]
    )
    await embedder.close()
    assert start @ more < 0.95
    np.testing.assert_allclose(more, beyond, atol=1e-5)


def test_a_sound_graph_is_kept(cache: Path) -> None:
    before = (cache / GRAPH_NAME).stat()
    assert ensure_graph(cache).stat() == before


@pytest.mark.parametrize("damage", ["bit", "cut", "empty", "no sum"])
def test_a_damaged_graph_is_built_again(cache: Path, damage: str) -> None:
    target = cache / GRAPH_NAME
    sound = target.read_bytes()
    match damage:
        case "bit":
            target.write_bytes(sound[:9_000_000] + bytes([sound[9_000_000] ^ 1]) + sound[9_000_001:])
        case "cut":
            target.write_bytes(sound[:1000])
        case "empty":
            target.write_bytes(b"")
        case _:
            target.with_suffix(".sha256").unlink()
    assert ensure_graph(cache).read_bytes() == sound
    assert {path.name for path in cache.iterdir()} == {GRAPH_NAME, target.with_suffix(".sha256").name}


def test_an_older_graph_goes(cache: Path) -> None:
    (cache / GRAPH_NAME).unlink()
    older = cache / "minilm-l6-v2-int8-v0.onnx"
    older.write_bytes(b"old")
    foreign = cache / "something-else.onnx"
    foreign.write_bytes(b"kept")
    ensure_graph(cache)
    assert not older.exists()
    assert foreign.exists()
    foreign.unlink()


def test_a_missing_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "_PACKAGE", "no_such_package")
    with pytest.raises(EmbeddingNotInstalled, match=re.escape("requirements-models.txt")):
        ensure_graph(tmp_path)
    assert list(tmp_path.iterdir()) == []


async def test_a_question_does_not_wait_behind_documents(cache: Path) -> None:
    embedder = MiniLMEmbedder(cache)
    await embedder.warm()
    documents = [asyncio.create_task(embedder.embed_documents([TEXTS[3]])) for _ in range(60)]
    await asyncio.sleep(0)
    await embedder.embed_query("How much is liability limited to?")
    assert sum(task.done() for task in documents) < 20
    await asyncio.gather(*documents)
    await embedder.close()


async def test_a_cancelled_document_stops(cache: Path) -> None:
    embedder = MiniLMEmbedder(cache)
    await embedder.warm()
    endless = asyncio.create_task(embedder.embed_documents([TEXTS[3]] * 100_000))
    await asyncio.sleep(0.05)
    endless.cancel()
    with pytest.raises(asyncio.CancelledError):
        await endless
    async with asyncio.timeout(2):
        await embedder.embed_documents(["next"])
    await embedder.close()


async def test_the_event_loop_goes_on_meanwhile(cache: Path) -> None:
    embedder = MiniLMEmbedder(cache)
    work = asyncio.create_task(embedder.embed_documents([TEXTS[3]] * 30))
    turns = 0
    while not work.done():
        await asyncio.sleep(0.001)
        turns += 1
    await embedder.close()
    assert turns > 30
