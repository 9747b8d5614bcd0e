"""Ollama away, slow, restarted, out of memory, without a model, talking nonsense: told in words, and over when it is over."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fake_ollama import CHAT_MODEL, OUT_OF_MEMORY, FakeOllama, fake_ollama
from tests.web import Person, Web
from youworker_app.gateways.llm.ollama import OllamaModel
from youworker_app.gateways.llm.protocol import LanguageModel
from youworker_app.ui import i18n


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    """Does as it is told."""
    with fake_ollama() as fake:
        yield fake


@pytest.fixture
def llm(ollama: FakeOllama) -> LanguageModel:
    """Asked with little patience."""
    return OllamaModel(ollama.url, first_token_timeout_s=0.5, stall_timeout_s=0.5)


async def asked(anna: Person, **more: Any) -> dict[str, Any]:
    answer = await anna.http.post("/v1/chat", json={"message": "When is the boiler serviced?", **more})
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


@pytest.mark.parametrize(
    ("trouble", "code", "said", "kept"),
    [
        ({"break_after": 2}, "MODEL_AWAY", "cannot be reached", "The boiler is "),
        ({"garbage_after": 2}, "MODEL_FAILED", "could not answer", "The boiler is "),
        ({"first_pause_s": 3}, "MODEL_STALLED", "silent for 0.5 seconds", ""),
        ({"pause_s": 3}, "MODEL_STALLED", "Try again or choose a smaller one", "The boi"),
        ({"chat_error": (500, OUT_OF_MEMORY)}, "MODEL_OUT_OF_MEMORY", "too little free memory", ""),
        ({"chat_error": (404, "not found")}, "MODEL_MISSING", f"ollama pull {CHAT_MODEL}", ""),
        ({"chat_error": (500, "llama runner terminated")}, "MODEL_FAILED", "llama runner terminated", ""),
    ],
)
async def test_a_model_that_fails_is_told_in_words_and_asked_again(
    web: Web, ollama: FakeOllama, trouble: dict[str, Any], code: str, said: str, kept: str
) -> None:
    anna = await web.person("anna")
    for name, value in trouble.items():
        setattr(ollama, name, value)
    broken = await asked(anna)
    assert (broken["state"], broken["error"]["code"]) == ("failed", code)
    assert broken["content"] == kept
    assert said in broken["error"]["message"]
    messages = (await anna.http.get(f"/v1/sessions/{broken['session_id']}/messages")).json()["items"]
    assert (messages[-1]["state"], messages[-1]["content"]) == ("failed", kept)
    italian = i18n.error_text("it", code, "", messages[-1]["error_details"])
    assert italian
    assert italian != broken["error"]["message"]
    for name in trouble:
        setattr(ollama, name, getattr(FakeOllama(), name))
    again = await asked(anna, session_id=broken["session_id"])
    assert (again["state"], again["content"]) == ("complete", ollama.answer)


@pytest.mark.parametrize(("language", "said"), [("en", "start Ollama"), ("it", "avvia Ollama")])
async def test_without_ollama_passages_answer_until_it_is_back(
    web: Web, ollama: FakeOllama, language: str, said: str
) -> None:
    anna = await web.person("anna")
    ollama.stop()
    found = await asked(anna, language=language)
    assert (found["state"], found["model"]) == ("complete", "passages")
    assert said in found["content"]
    ollama.start()
    llm = web.house.installation.gateways.llm
    assert isinstance(llm, OllamaModel)
    llm._catalogue._asked_at = float("-inf")  # five seconds later
    assert (await asked(anna, session_id=found["session_id"]))["content"] == ollama.answer


async def test_a_restart_between_two_questions_is_not_noticed(web: Web, ollama: FakeOllama) -> None:
    anna = await web.person("anna")
    assert (await asked(anna))["state"] == "complete"
    ollama.stop()
    ollama.start()
    assert (await asked(anna))["content"] == ollama.answer


async def test_a_model_that_is_asked_for_by_name_and_not_there(web: Web, ollama: FakeOllama) -> None:
    anna = await web.person("anna")
    found = await asked(anna, model="giant:70b")
    assert found["error"]["code"] == "MODEL_MISSING"
    assert "`ollama pull giant:70b`" in found["error"]["message"]
