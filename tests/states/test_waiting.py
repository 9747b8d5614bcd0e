"""What the screen says while something is away."""

import pytest

from tests.house import House, pieces
from tests.states.conftest import SignIn
from youworker_app.documents.ui.state import DocumentsState
from youworker_app.gateways.embeddings.errors import EmbeddingModelMissing
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.ingestion.schemas import Upload


@pytest.mark.parametrize(
    ("language", "stage", "problem"),
    [
        ("en", "Waiting", "Waiting, and going on by itself: Ollama does not have the embedding model m."),
        ("it", "In attesa", "In attesa, proseguirà da solo: "),
    ],
)
async def test_a_document_says_what_it_waits_for(
    house: House,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    stage: str,
    problem: str,
) -> None:
    async def missing(*_: object) -> None:
        raise EmbeddingModelMissing(model="m")

    monkeypatch.setattr(InMemoryEmbedder, "embed_documents", missing)
    anna, tab = await sign_in("anna", language=language)
    await house.ingestion.upload(anna, Upload("note.txt"), pieces(b"The canteen opens at noon."))
    await house.installation.queue.idle()
    await tab.do(DocumentsState.refresh)
    state = await tab.state(DocumentsState)
    (item,) = [*state.items, *state.working]
    assert (item.stage, item.state) == (stage, "queued")
    assert item.problem.startswith(problem)
    assert "ollama pull m" in item.problem
