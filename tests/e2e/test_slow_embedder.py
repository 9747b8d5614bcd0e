"""An embedding server that answers too late: uploads wait and say for what, the chat goes on, all is well when it is quick."""

import asyncio
from pathlib import Path

import pytest

from tests.e2e.product import Product
from tests.e2e.test_disk_full import job_of
from tests.e2e.test_stop import person, ready, uploaded
from tests.fake_ollama import fake_ollama

NOTE = b"The boiler in the cellar is serviced in March. Its number is K-4711."

pytestmark = pytest.mark.timeout(120)


async def test_uploads_wait_in_words_and_the_chat_goes_on(tmp_path: Path) -> None:
    settings = {"YOUWORKER_EMBEDDING_BACKEND": "ollama", "YOUWORKER_EMBEDDING_TIMEOUT_S": "1"}
    with fake_ollama() as ollama:
        product = Product(tmp_path / "data", ollama_url=ollama.url, settings=settings).start()
        try:
            async with person(product) as client:
                await ready(client, [await uploaded(client, NOTE, "first.txt")])
                ollama.embed_pause_s = 30.0
                second = await uploaded(client, NOTE + b" It is blue.", "second.txt")
                while (await job_of(client, second)) != ("queued", "EMBEDDING_SLOW"):
                    await asyncio.sleep(0.05)
                view = (await client.get(f"/v1/documents/{second['document_id']}")).raise_for_status().json()
                assert view["state"] == "queued"
                job = (await client.get(f"/v1/ingest/jobs/{second['job_id']}")).raise_for_status().json()
                assert "did not answer within" in job["error"]
                # By its words: what is known already is found and answered from.
                question = "When is the boiler serviced?"
                found = await client.post("/v1/search", json={"query": question})
                assert [item["filename"] for item in found.raise_for_status().json()["items"]] == [
                    "first.txt"
                ]
                answer = (await client.post("/v1/chat", json={"message": question})).raise_for_status().json()
                assert (answer["state"], answer["content"]) == ("complete", ollama.answer)
                ollama.embed_pause_s = 0.0
                await ready(client, [second])
        finally:
            product.end()
    assert "Traceback" not in product.log
