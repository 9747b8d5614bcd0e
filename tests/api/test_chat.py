"""Chat over /v1: asked and waited for, asked and streamed, joined, resumed, stopped; conversations."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.responses import Response

from tests.web import Person, SentEvent, Web, events_of, exchange
from youworker_app.chat import routes, sse
from youworker_app.chat.schemas import RunEvent
from youworker_app.chat.sse import EventStreamResponse, event_stream
from youworker_app.core.errors import NotFound
from youworker_app.core.stopping import Stopping
from youworker_app.gateways.llm.errors import ModelFailed
from youworker_app.gateways.llm.protocol import LanguageModel
from youworker_app.gateways.llm.scripted import Fail, Hang, Say, ScriptedModel, Wait, words

NOTE = b"The boiler in the cellar is serviced in March. Its number is K-4711."
ANSWER = "In March, says the note [1]."


@pytest.fixture
def llm() -> LanguageModel:
    """Answers the first question; waits in the second, hangs in the third, breaks in the fourth."""
    return ScriptedModel(
        words(ANSWER),
        [Say("Slowly "), Wait(0.3), Say("written.")],
        [Say("Partly "), Say("written"), Hang()],
        [Say("Half a"), Fail(ModelFailed(model="scripted", reason="out of memory"))],
    )


@pytest.fixture
async def anna(web: Web) -> Person:
    person = await web.person("anna")
    assert (await person.upload(NOTE)).status_code == 202
    await web.ready()
    return person


async def ask(person: Person, message: str = "When is the boiler serviced?", **more: Any) -> dict[str, Any]:
    answer = await person.http.post("/v1/chat", json={"message": message} | more)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def streamed(person: Person, path: str, headers: dict[str, str] | None = None) -> list[SentEvent]:
    answer = await person.http.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return events_of(answer.content)


async def start(web: Web, person: Person, nth: int) -> str:
    """The id of a run that plays the nth script, still running."""
    for _ in range(nth - 1):
        await ask(person, "Anything?") if nth < 4 else None
    asked = {"message": "When is the boiler serviced?", "stream": True}
    async with exchange(web.app, "POST", "/v1/chat", _headers(person)) as request:
        await request.send(_json(asked), more=False)
        await request.start()
        read = b""
        while not (events := events_of(read)):
            read += await request.piece()
    run_id: str = events[0].data["run_id"]
    return run_id


def _headers(person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {person.key}", "Content-Type": "application/json"}


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()


def text_of(events: list[SentEvent]) -> str:
    return "".join(event.data["text"] for event in events if event.name == "token")


async def test_a_client_that_waits_gets_the_answer(anna: Person) -> None:
    answer = await ask(anna, enable_tools=True, max_iterations=3, language="en")
    assert answer["content"] == ANSWER
    assert (answer["state"], answer["tool_runs"], answer["error"]) == ("complete", [], None)
    assert {
        "run_id",
        "session_id",
        "message_id",
        "content",
        "citations",
        "tool_runs",
        "usage",
    } <= answer.keys()
    citation = answer["citations"][0]
    assert {
        "n", "chunk_id", "document_id", "file_id", "filename", "page", "locator", "quote", "score"
    } <= citation.keys()  # fmt: skip
    assert (citation["n"], citation["filename"]) == (1, "note.txt")
    assert "K-4711" in citation["quote"]
    assert answer["usage"]["completion_tokens"]


async def test_the_built_in_answerer_needs_no_model(web: Web, anna: Person) -> None:
    answer = await ask(anna, model="passages")
    assert answer["model"] == "passages"
    assert "K-4711" in answer["content"]


async def test_a_stream_tells_everything_in_order(anna: Person) -> None:
    answer = await anna.http.post(
        "/v1/chat", json={"message": "When is the boiler serviced?", "stream": True}
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    assert "no-store" in answer.headers["cache-control"]
    events = events_of(answer.content)
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    names = [event.name for event in events]
    assert (names[0], names[-1]) == ("session", "done")
    assert names.index("citations") < names.index("token")
    assert events[0].data.keys() == {"run_id", "session_id", "message_id"}
    assert text_of(events) == ANSWER
    assert events[-1].data["message_id"] == events[0].data["message_id"]


async def test_a_lost_stream_goes_on_where_it_ended(anna: Person) -> None:
    run_id = (await ask(anna))["run_id"]
    url = f"/v1/chat/runs/{run_id}/events"
    whole = await streamed(anna, url)
    for cut in (1, 3, len(whole) - 1):
        assert await streamed(anna, url, {"Last-Event-ID": str(cut)}) == whole[cut:]
        assert await streamed(anna, f"{url}?after={cut}") == whole[cut:]
    assert await streamed(anna, url, {"Last-Event-ID": "foreign"}) == whole
    assert await streamed(anna, url, {"Last-Event-ID": "9" * 50}) == whole
    nothing = await anna.http.get(url, headers={"Last-Event-ID": str(len(whole))})
    assert (nothing.status_code, nothing.content) == (204, b"")


async def test_a_run_that_left_memory_is_rebuilt(web: Web, anna: Person) -> None:
    run_id = (await ask(anna))["run_id"]
    web.house.forget(run_id)
    events = await streamed(anna, f"/v1/chat/runs/{run_id}/events", {"Last-Event-ID": "4"})
    assert [event.name for event in events] == ["session", "reset", "citations", "token", "done"]
    assert text_of(events) == ANSWER


async def test_the_first_event_does_not_wait_for_the_second(web: Web, anna: Person) -> None:
    await ask(anna)
    async with exchange(web.app, "POST", "/v1/chat", _headers(anna)) as request:
        await request.send(_json({"message": "Slowly?", "stream": True}), more=False)
        assert (await request.start())[0] == 200
        read = b""
        while "session" not in {event.name for event in events_of(read)}:
            read += await request.piece()
        assert "written" not in text_of(events_of(read))
        while "Slowly " not in text_of(events_of(read)):
            read += await request.piece()
        assert "done" not in {event.name for event in events_of(read)}
        read += await request.remaining()
    assert text_of(events_of(read)) == "Slowly written."


async def test_a_reader_that_goes_away_does_not_end_the_run(web: Web, anna: Person) -> None:
    run_id = await start(web, anna, 2)
    assert web.house.running(anna.actor)
    events = await streamed(anna, f"/v1/chat/runs/{run_id}/events")
    assert text_of(events) == "Slowly written."
    assert events[-1].data["state"] == "complete"


async def test_two_readers_read_the_same(web: Web, anna: Person) -> None:
    run_id = await start(web, anna, 2)
    url = f"/v1/chat/runs/{run_id}/events"
    one, two = await asyncio.gather(streamed(anna, url), streamed(anna, url))
    assert one == two


async def test_stop_is_quick_and_keeps_what_was_written(web: Web, anna: Person) -> None:
    await ask(anna)
    await ask(anna)
    asked = asyncio.create_task(ask(anna, "Forever?"))
    run_id = ""
    while not run_id:
        await asyncio.sleep(0.01)
        running = web.house.installation.runs.of(anna.actor.user_id)
        if running and any(event.name == "token" for event in running[0].events):
            run_id = running[0].run_id
    await asyncio.sleep(0.05)
    answer = await anna.http.post(f"/v1/chat/runs/{run_id}/stop")
    assert (answer.status_code, answer.content) == (204, b"")
    stopped = await asked
    assert (stopped["state"], stopped["content"]) == ("stopped", "Partly written")
    assert (await anna.http.post(f"/v1/chat/runs/{run_id}/stop")).status_code == 204


async def test_an_answer_that_takes_too_long_goes_on_without_the_client(
    web: Web, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(anna)
    monkeypatch.setattr(routes, "WAIT_SECONDS", 0.1)
    answer = await anna.http.post("/v1/chat", json={"message": "Slowly?"})
    assert (answer.status_code, answer.json()["state"]) == (202, "running")
    events = await streamed(anna, f"/v1/chat/runs/{answer.json()['run_id']}/events")
    assert text_of(events) == "Slowly written."


async def test_a_model_that_breaks_leaves_a_marked_part(web: Web, anna: Person) -> None:
    model = web.house.installation.gateways.llm
    assert isinstance(model, ScriptedModel)
    model._scripts = model._scripts[3:]
    answer = await ask(anna)
    assert (answer["state"], answer["content"]) == ("failed", "Half a")
    assert answer["error"]["code"] == ModelFailed.code
    events = await streamed(anna, f"/v1/chat/runs/{answer['run_id']}/events")
    assert events[-1].name == "error"
    assert events[-1].data["code"] == ModelFailed.code


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"message": ""}, 422, "QUESTION_EMPTY"),
        ({"message": " \n"}, 422, "QUESTION_EMPTY"),
        ({"message": "a" * 16_001}, 413, "QUESTION_TOO_LONG"),
        ({"message": "a" * 1_000_000}, 413, "QUESTION_TOO_LONG"),
        ({"message": "a" * 1_300_000}, 413, "BODY_TOO_LARGE"),
        ({}, 422, "INVALID"),
        ({"message": 5}, 422, "INVALID"),
        ({"message": "\ud800"}, 400, "MALFORMED"),
        ({"message": "a", "max_iterations": 0}, 422, "INVALID"),
        ({"message": "a", "max_iterations": 51}, 422, "INVALID"),
        ({"message": "a", "session_id": "unknown"}, 404, "NOT_FOUND"),
        ({"message": "a", "session_id": "a b"}, 404, "NOT_FOUND"),
        ({"message": "a", "session_id": "a" * 100_000}, 404, "NOT_FOUND"),
        ({"message": "a", "document_ids": ["a/b"]}, 404, "NOT_FOUND"),
        ({"message": "a", "model": "a" * 513}, 422, "INVALID"),
        ("a", 422, "INVALID"),
    ],
)
async def test_a_wrong_question_is_told(anna: Person, body: Any, status: int, code: str) -> None:
    for stream in (False, True):
        sent = body | {"stream": stream} if isinstance(body, dict) else body
        answer = await anna.http.post("/v1/chat", content=_json(sent), headers=_headers(anna))
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert (await anna.http.get("/v1/sessions")).json()["items"] == []


async def test_models_are_listed_as_openai_clients_read_them(anna: Person) -> None:
    found = (await anna.http.get("/v1/models")).json()
    assert (found["object"], found["connected"], found["chosen"]) == ("list", True, "scripted")
    assert [model["id"] for model in found["data"]] == ["scripted", "passages"]
    assert {"id", "object", "created", "owned_by"} <= found["data"][0].keys()


# --- conversations


async def test_conversations_are_listed_found_renamed_and_removed(anna: Person) -> None:
    ids = [(await ask(anna, f"Question {n}"))["session_id"] for n in range(2)]
    page = (await anna.http.get("/v1/sessions", params={"limit": 1})).json()
    assert [item["id"] for item in page["items"]] == [ids[1]]
    rest_of = (await anna.http.get("/v1/sessions", params={"limit": 1, "cursor": page["next_cursor"]})).json()
    assert [item["id"] for item in rest_of["items"]] == [ids[0]]
    assert [i["id"] for i in (await anna.http.get("/v1/sessions?q=question 0")).json()["items"]] == [ids[0]]
    renamed = await anna.http.patch(f"/v1/sessions/{ids[0]}", json={"title": " Boiler "})
    assert (renamed.status_code, renamed.json()["title"]) == (200, "Boiler")
    assert (await anna.http.get(f"/v1/sessions/{ids[0]}")).json()["title"] == "Boiler"
    assert (await anna.http.patch(f"/v1/sessions/{ids[0]}", json={"title": " "})).status_code == 422
    assert (await anna.http.delete(f"/v1/sessions/{ids[0]}")).status_code == 204
    assert (await anna.http.get(f"/v1/sessions/{ids[0]}")).status_code == 404


async def test_messages_come_newest_page_first(anna: Person) -> None:
    first = await ask(anna, "One?")
    await ask(anna, "Two?", session_id=first["session_id"])
    url = f"/v1/sessions/{first['session_id']}/messages"
    page = (await anna.http.get(url, params={"limit": 2})).json()
    assert [message["content"] for message in page["items"]] == ["Two?", "Slowly written."]
    older = (await anna.http.get(url, params={"limit": 2, "cursor": page["next_cursor"]})).json()
    assert [message["content"] for message in older["items"]] == ["One?", ANSWER]
    assert older["next_cursor"] is None
    assert older["items"][1]["run_id"] == first["run_id"]


# --- who


async def test_strangers_nobody_and_narrow_keys(web: Web, anna: Person) -> None:
    answer = await ask(anna)
    session, run = f"/v1/sessions/{answer['session_id']}", f"/v1/chat/runs/{answer['run_id']}"
    requests: list[tuple[str, str, Any]] = [
        ("GET", session, None),
        ("PATCH", session, {"title": "mine"}),
        ("DELETE", session, None),
        ("GET", f"{session}/messages", None),
        ("GET", f"{run}/events", None),
        ("POST", f"{run}/stop", None),
        ("POST", "/v1/chat", {"message": "a", "session_id": answer["session_id"]}),
    ]
    stranger, nobody = (await web.person("stranger")).http, await web.client()
    narrow = (await web.keyed(anna.actor, ["documents:read"])).http
    for client, status in ((stranger, 404), (nobody, 401), (narrow, 403)):
        for method, path, body in requests:
            assert (await client.request(method, path, json=body)).status_code == status, (method, path)
    assert (await stranger.get("/v1/sessions")).json() == {"items": [], "next_cursor": None}
    assert (await anna.http.get(session)).status_code == 200


async def test_a_key_that_may_not_read_starts_no_answer(web: Web, anna: Person) -> None:
    writer = await web.keyed(anna.actor, ["chat:write"])
    answer = await writer.http.post("/v1/chat", json={"message": "a"})
    assert (answer.status_code, answer.json()["error"]["details"]) == (403, {"scope": "chat:read"})
    assert (await anna.http.get("/v1/sessions")).json()["items"] == []


# --- the stream itself


async def _body(response: Response, sent: list[bytes] | None = None) -> bytes:
    """What a reader who stays gets; the pieces, as they are sent, into `sent`."""
    pieces: list[bytes] = [] if sent is None else sent

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        pieces.append(message.get("body", b""))

    await response({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)
    return b"".join(pieces)


async def test_silence_is_bridged_by_a_heartbeat() -> None:
    async def events() -> AsyncIterator[list[RunEvent]]:
        yield [RunEvent(1, "token", {"text": "a\nb €"})]
        await asyncio.sleep(0.25)
        yield [RunEvent(2, "done", {})]

    body = await _body(await event_stream(events(), Stopping(), heartbeat_seconds=0.1))
    assert body.count(b": \n\n") == 2
    assert [(event.id, event.name, event.data) for event in events_of(body)] == [
        (1, "token", {"text": "a\nb €"}),
        (2, "done", {}),
    ]


async def test_events_that_are_there_together_are_sent_together() -> None:
    async def events() -> AsyncIterator[list[RunEvent]]:
        yield [RunEvent(1, "session", {}), RunEvent(2, "status", {})]
        yield [RunEvent(3, "token", {"text": "a"}), RunEvent(4, "done", {})]

    sent: list[bytes] = []
    await _body(await event_stream(events(), Stopping()), sent)
    names = [[event.name for event in events_of(piece)] for piece in sent]
    assert names == [[], ["session", "status"], ["token", "done"], []]


async def test_a_stream_is_open_before_its_first_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "FIRST_EVENT_SECONDS", 0.01)
    begins = asyncio.Event()

    async def events() -> AsyncIterator[list[RunEvent]]:
        await begins.wait()
        yield [RunEvent(1, "session", {})]

    sent: list[bytes] = []
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(_body(await event_stream(events(), Stopping()), sent))
        while b"retry: 1000" not in b"".join(sent):
            await asyncio.sleep(0.01)
        begins.set()
    assert [event.name for event in events_of(b"".join(sent))] == ["session"]


async def test_the_stream_lets_go_of_the_events() -> None:
    closed = asyncio.Event()

    async def events() -> AsyncIterator[list[RunEvent]]:
        try:
            yield [RunEvent(1, "session", {})]
            await asyncio.Event().wait()
        finally:
            closed.set()

    response = await event_stream(events(), Stopping())
    assert isinstance(response, EventStreamResponse)
    sent = asyncio.Event()

    async def receive() -> Any:
        await sent.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if b"session" in message.get("body", b""):
            sent.set()

    await asyncio.wait_for(response({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send), 2)
    assert closed.is_set()


async def test_an_error_before_the_first_event_is_an_ordinary_one() -> None:
    async def events() -> AsyncIterator[list[RunEvent]]:
        for event in [RunEvent(1, "session", {})]:
            if event.id:
                raise NotFound
            yield [event]

    with pytest.raises(NotFound):
        await event_stream(events(), Stopping())


async def test_an_error_later_ends_the_stream_with_an_event() -> None:
    async def events() -> AsyncIterator[list[RunEvent]]:
        yield [RunEvent(1, "session", {})]
        raise NotFound

    last = events_of(await _body(await event_stream(events(), Stopping())))[-1]
    assert (last.id, last.name, last.data["code"]) == (None, "error", "NOT_FOUND")
