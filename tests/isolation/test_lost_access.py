"""What is left to somebody who had access and lost it, and what memory holds beside the rows."""

from tests.isolation.asking import ask, seen
from tests.isolation.company import ACTIVE, Target
from tests.isolation.world import World
from youworker_app.core.ids import new_id


async def test_an_answer_outlives_its_evidence_but_does_not_show_it(world: World) -> None:
    """Who left the group keeps the answers from there; their passages are gone, live or kept."""
    chat = world.facts.chats["former"]
    async with world.client(world.facts.passes["former"].headers("cookie")) as client:
        messages = (await client.get(f"/v1/sessions/{chat.session_id}/messages")).json()["items"]
        events = await client.get(f"/v1/chat/runs/{chat.run_id}/events")
    citations = messages[-1]["citations"]
    own = {world.facts.papers[name].document_id for name in ("left", "kept")}
    gone = [each for each in citations if each["document_id"] not in own]
    assert gone
    for each in gone:
        assert not each["available"]
        assert not any(
            each[name] for name in ("quote", "filename", "title", "file_id", "can_view", "locator")
        )
    assert "wordshared-paper" not in events.text
    assert '"quote":"The rule of wordshared' not in events.text


async def test_a_run_that_is_still_in_memory_shows_its_evidence_by_right_too(world: World) -> None:
    """Passages are asked for again each time that they are shown, while the answer is written and a minute after as well."""
    person, question = world.facts.passes["member"], {"message": "What does the rule of wordshared say?"}
    async with world.client(person.headers("cookie")) as client:
        run_id = (await client.post("/v1/chat", json=question)).json()["run_id"]
        quoted = '"quote":"The rule of wordshared'
        assert quoted in (await client.get(f"/v1/chat/runs/{run_id}/events")).text
        await world.house.installation.groups.remove_member(
            await world.actor("owner"), world.facts.teams["north"], person.user_id
        )
        assert world.house.installation.runs.find(run_id)
        events = (await client.get(f"/v1/chat/runs/{run_id}/events")).text
    assert quoted not in events
    assert '"filename":"shared-paper.pdf"' not in events
    assert "event: done" in events


async def test_who_left_a_group_puts_nothing_before_it(world: World) -> None:
    """Neither by naming the group nor by opening what lay in it."""
    kept, left = world.facts.papers["kept"], world.facts.papers["left"]
    async with world.client(world.facts.passes["former"].headers("cookie")) as client:
        for change in ({"is_private": False}, {"group_id": world.facts.teams["north"]}):
            answer = await client.patch(f"/v1/documents/{kept.document_id}", json=change)
            assert answer.status_code == 404, change
        # What already lies open there stays theirs to rename and to take back, for good.
        renamed = await client.patch(f"/v1/documents/{left.document_id}", json={"title": "renamed"})
        assert renamed.status_code == 200
        assert (
            await client.patch(f"/v1/documents/{left.document_id}", json={"is_private": True})
        ).status_code == 200
        assert (
            await client.patch(f"/v1/documents/{left.document_id}", json={"is_private": False})
        ).status_code == 404
        assert (
            await client.patch(f"/v1/documents/{left.document_id}", json={"group_id": ""})
        ).status_code == 200
    async with world.client(world.facts.passes["owner"].headers("cookie")) as client:
        listed = (await client.get("/v1/documents", params={"limit": 200})).text
    assert "kept-paper" not in listed
    assert "left-paper" not in listed


async def test_a_run_that_is_still_in_memory_is_its_own_persons_alone(world: World) -> None:
    """What is kept for those who follow an answer is asked for by right as the rows are."""
    question = {"message": "What does the rule of wordprivate say?"}
    async with world.client(world.facts.passes["owner"].headers("cookie")) as client:
        run_id = (await client.post("/v1/chat", json=question)).json()["run_id"]
    assert world.house.installation.runs.find(run_id)
    targets = (Target("live", {"run_id": run_id}, {}), Target("unknown", {"run_id": new_id()}, {}))
    for person in ACTIVE[1:]:
        async with world.client(world.facts.passes[person].headers("key")) as client:
            for entry in ("GET /v1/chat/runs/{run_id}/events", "POST /v1/chat/runs/{run_id}/stop"):
                live, unknown = [seen(await ask(client, entry, target)) for target in targets]
                assert live == unknown, (person, entry)
                assert live.status == 404
