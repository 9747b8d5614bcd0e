"""Suspending, removing from a group, deleting a group: at once, also for what runs in people's names."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.house import PASSWORD, House, open_house, pieces
from tests.rows import every_row
from youworker_app.access.actor import Actor
from youworker_app.accounts.errors import SignInFailed
from youworker_app.accounts.schemas import Carrier, Client, CreateApiKey, Credential
from youworker_app.chat.schemas import AskQuestion
from youworker_app.core.db import Database
from youworker_app.core.errors import ChangedMeanwhile, NotFound, Unauthenticated
from youworker_app.core.events import EventBus, user_topic
from youworker_app.core.keys import DataKeys
from youworker_app.core.paging import PageRequest
from youworker_app.core.registry import service
from youworker_app.documents.schemas import ChangeDocument, DocumentFilter
from youworker_app.gateways.blobs.errors import StorageAway
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.gateways.blobs.protocol import BlobReceipt
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.llm.scripted import Hang, Say, ScriptedModel
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.groups.errors import GroupAdminOnly, GroupBusy
from youworker_app.ingestion.schemas import Upload
from youworker_app.models.groups import Group, Membership
from youworker_app.wiring import Gateways

NOTE = b"The boiler in the cellar is serviced in March. Its number is K-4711."
LONG = "\n\n".join(
    f"Paragraph {n}. The pump number P-{n} stands in hall {n}. " * 6 for n in range(60)
).encode()
PAGE = PageRequest()


class GatedBlobs(MemoryBlobStore):
    """Waits at gates, does something before a copy, or is away."""

    def __init__(self) -> None:
        super().__init__()
        self.before_reading, self.after_reading, self.reached = (asyncio.Event() for _ in range(3))
        self.before_reading.set()
        self.after_reading.set()
        self.copies = 0
        self.before_copy: Callable[[], Coroutine[Any, Any, None]] | None = None

    async def read_all(self, blob_id: str, key: bytes) -> bytes:
        await self._passed(self.before_reading)
        found = await super().read_all(blob_id, key)
        await self._passed(self.after_reading)
        return found

    async def _passed(self, gate: asyncio.Event) -> None:
        if not gate.is_set():
            self.reached.set()
        await gate.wait()

    async def write(
        self, blob_id: str, key: bytes, source: AsyncIterator[bytes], *, hash_key: bytes, max_bytes: int
    ) -> BlobReceipt:
        if self.before_copy is not None:
            action, self.before_copy = self.before_copy, None
            await action()
        return await super().write(blob_id, key, source, hash_key=hash_key, max_bytes=max_bytes)


class GatedEmbedder(InMemoryEmbedder):
    """Waits at a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()

    async def embed_documents(self, texts):  # type: ignore[no-untyped-def]
        await self.gate.wait()
        return await super().embed_documents(texts)


class Works:
    """A house whose parts wait until they are told to go on."""

    def __init__(self, house: House, blobs: GatedBlobs, embedder: GatedEmbedder) -> None:
        self.house, self.blobs, self.embedder = house, blobs, embedder
        self.accounts, self.groups = house.installation.accounts, house.installation.groups
        self.people, self.api_keys = house.installation.people, house.installation.api_keys

    @property
    def root(self) -> Actor:
        assert self.house.root
        return self.house.root

    async def answering(self, actor: Actor) -> str:
        """An answer that is being written; the run's id."""
        started = await self.house.chat.ask(actor, AskQuestion("When?"))
        while not any(event.name == "token" for event in self.house.live(started.run_id)):
            await asyncio.sleep(0.005)
        return started.run_id

    async def reading(self, actor: Actor, **more: Any) -> tuple[str, str]:
        """A document whose passages wait to be embedded; (document, job)."""
        self.embedder.gate.clear()
        item = await self.house.ingestion.upload(actor, Upload("long.txt", **more), pieces(LONG))
        document_id, job_id = item.document_id or "", item.job_id or ""
        while (await self.house.ingestion.get_job(actor, job_id)).stage != "text":
            await asyncio.sleep(0.005)
        return document_id, job_id

    async def go_on(self) -> None:
        """Opens every gate and waits for what was behind."""
        for gate in (self.embedder.gate, self.blobs.before_reading, self.blobs.after_reading):
            gate.set()
        await self.house.installation.queue.idle()

    async def assert_whole(self, actor: Actor, document_id: str) -> None:
        """A document that is ready, can be read and found, and has its bytes."""
        view = await self.house.documents.get_document(actor, document_id)
        assert (view.state, view.error_code) == ("ready", "")
        chunks = await self.house.documents.list_chunks(actor, document_id, PageRequest(limit=200))
        counts = await self.house.installation.gateways.vectors.count_by_document()
        assert counts[document_id] == len(chunks.items) > 0
        content = await self.house.documents.open_file(actor, view.file_id)
        assert b"".join([piece async for piece in content.stream]) in (LONG, NOTE)


@pytest.fixture
async def works(
    database: Database, database_url: str, tmp_path: Path, keys: DataKeys
) -> AsyncIterator[Works]:
    """A house whose model says two words and hangs."""
    blobs, embedder = GatedBlobs(), GatedEmbedder()
    model = ScriptedModel([Say("Partly "), Say("written"), Hang()])
    gateways = Gateways(blobs, MemoryVectorStore(), embedder, model, LocalParser())
    house = await open_house(database_url, tmp_path / "data", keys, gateways=gateways)
    yield Works(house, blobs, embedder)
    await house.stop()


# --- suspended


async def test_a_suspended_person_is_out_at_once_and_finds_everything_again(works: Works) -> None:
    anna = await works.house.person("anna")
    signed = await works.accounts.sign_in("anna", PASSWORD, Client())
    made = await works.api_keys.create_key(anna, CreateApiKey("script", ("chat:read",)))
    credentials = [Credential(Carrier.COOKIE, signed.token), Credential(Carrier.KEY, made.key)]
    run_id = await works.answering(anna)
    view = await works.people.set_active(works.root, anna.user_id, is_active=False)
    assert not view.is_active
    assert not works.house.running(anna)
    for credential in credentials:
        with pytest.raises(Unauthenticated):
            await works.accounts.authenticate(credential)
    with pytest.raises(SignInFailed):
        await works.house.signed_in("anna")
    await works.people.set_active(works.root, anna.user_id, is_active=True)
    for credential in credentials:
        assert (await works.accounts.authenticate(credential)).user_id == anna.user_id
    message = await works.house.chat.wait(await works.house.signed_in("anna"), run_id)
    assert message.state == "stopped"
    assert "Partly" in message.content


async def test_suspending_is_told_in_the_audit_trail(works: Works) -> None:
    anna = await works.house.person("anna")
    for is_active in (False, True):
        await works.people.set_active(works.root, anna.user_id, is_active=is_active)
    events = (await every_row(works.house.installation.db))["audit_events"]
    told = [each["action"] for each in events if each["subject_id"] == anna.user_id]
    assert sorted(told)[-2:] == ["user.restored", "user.suspended"]


async def test_a_suspended_persons_reading_stops_and_can_be_tried_again(works: Works) -> None:
    anna = await works.house.person("anna")
    document_id, job_id = await works.reading(anna)
    await works.people.set_active(works.root, anna.user_id, is_active=False)
    # Nothing was let go on: the work ended although the model never answered.
    await works.house.installation.queue.idle()
    assert await works.house.installation.gateways.vectors.count_by_document() == {}
    await works.people.set_active(works.root, anna.user_id, is_active=True)
    anna = await works.house.signed_in("anna")
    job = await works.house.ingestion.get_job(anna, job_id)
    assert (job.state, job.error_code) == ("failed", "REQUESTER_GONE")
    assert (await works.house.documents.get_document(anna, document_id)).state == "failed"
    await works.house.ingestion.retry_job(anna, job_id)
    await works.go_on()
    await works.assert_whole(anna, document_id)


async def test_an_upload_under_way_ends_with_the_suspension(works: Works) -> None:
    anna = await works.house.person("anna")

    async def slow() -> AsyncIterator[bytes]:
        yield NOTE
        await works.people.set_active(works.root, anna.user_id, is_active=False)
        yield NOTE

    with pytest.raises(Unauthenticated):
        await works.house.ingestion.upload(anna, Upload("slow.txt"), slow())
    assert works.blobs.sealed == {}


async def test_open_pages_are_told_to_ask_again(works: Works) -> None:
    anna = await works.house.person("anna")
    async with service(EventBus).subscribe(user_topic(anna.user_id)) as queue:
        await works.people.set_active(works.root, anna.user_id, is_active=False)
        assert {queue.get_nowait().name for _ in range(queue.qsize())} >= {
            "sessions_changed",
            "documents_changed",
            "account_changed",
        }


async def test_others_go_on(works: Works) -> None:
    anna, bruno = await works.house.person("anna"), await works.house.person("bruno")
    await works.answering(bruno)
    document_id, _ = await works.reading(bruno)
    await works.people.set_active(works.root, anna.user_id, is_active=False)
    assert works.house.running(bruno)
    await works.go_on()
    await works.assert_whole(bruno, document_id)


# --- out of a group


async def test_who_is_removed_from_a_group_stops_answering_and_goes_on_reading(works: Works) -> None:
    anna, bruno = await works.house.person("anna"), await works.house.person("bruno")
    team = await works.house.team(anna, "Team", "bruno")
    run_id = await works.answering(bruno)
    document_id, _ = await works.reading(bruno)
    await works.groups.remove_member(await works.house.signed_in("anna"), team, bruno.user_id)
    assert not works.house.running(bruno)
    assert (await works.house.chat.wait(bruno, run_id)).state == "stopped"
    await works.go_on()
    await works.assert_whole(bruno, document_id)


async def test_an_upload_into_a_group_ends_with_the_membership(works: Works) -> None:
    anna, bruno = await works.house.person("anna"), await works.house.person("bruno")
    team = await works.house.team(anna, "Team", "bruno")
    anna, bruno = await works.house.signed_in("anna"), await works.house.signed_in("bruno")

    async def slow() -> AsyncIterator[bytes]:
        yield NOTE
        await works.groups.remove_member(anna, team, bruno.user_id)
        yield NOTE

    with pytest.raises(NotFound):
        await works.house.ingestion.upload(bruno, Upload("slow.txt", group_id=team), slow())
    assert works.blobs.sealed == {}


# --- a group that goes


async def team_of_two(works: Works) -> tuple[str, Actor, Actor]:
    anna, _ = await works.house.person("anna"), await works.house.person("bruno")
    team = await works.house.team(anna, "Team", "bruno")
    return team, await works.house.signed_in("anna"), await works.house.signed_in("bruno")


async def test_documents_of_a_deleted_group_go_back_to_their_owners(works: Works) -> None:
    team, anna, bruno = await team_of_two(works)
    mine = await works.house.upload(anna, NOTE, "mine.txt", group_id=team)
    before = await works.house.documents.get_document(anna, mine.document_id or "")
    theirs = await works.house.upload(bruno, NOTE + b"!", "theirs.txt", group_id=team)
    hidden = await works.house.upload(bruno, NOTE + b"?", "hidden.txt", group_id=team, is_private=True)
    run_id = await works.answering(bruno)
    await works.groups.delete_group(anna, team)
    assert (await works.house.chat.wait(bruno, run_id)).state == "stopped"
    for actor, items in ((anna, [mine]), (bruno, [theirs, hidden])):
        listed = await works.house.documents.list_documents(actor, DocumentFilter(), PAGE)
        assert {view.id for view in listed.items} == {item.document_id for item in items}
        assert {(view.group_id, view.is_private, view.state) for view in listed.items} == {
            (None, True, "ready")
        }
    after = await works.house.documents.get_document(anna, before.id)
    assert after.file_id != before.file_id  # under a key that no former member ever had
    await works.assert_whole(anna, before.id)
    rows = await every_row(works.house.installation.db)
    assert (rows["groups"], rows["memberships"]) == ([], [])
    assert {row["space"] for row in rows["stored_files"]} == {f"u:{each.user_id}" for each in (anna, bruno)}
    with pytest.raises(NotFound):
        await works.groups.get_group(anna, team)
    told = [each for each in rows["audit_events"] if each["action"] == "group.removed"]
    assert [(each["actor_id"], each["resource_id"]) for each in told] == [(anna.user_id, team)]


async def test_only_admins_delete_a_group(works: Works) -> None:
    team, _, bruno = await team_of_two(works)
    carla = await works.house.person("carla")
    with pytest.raises(GroupAdminOnly):
        await works.groups.delete_group(bruno, team)
    for stranger in (carla, works.root):
        with pytest.raises(NotFound):
            await works.groups.delete_group(stranger, team)
    assert (await works.groups.get_group(bruno, team)).member_count == 2


async def test_a_removal_that_breaks_off_leaves_the_group_and_can_be_asked_again(works: Works) -> None:
    team, anna, bruno = await team_of_two(works)
    ids = [
        (await works.house.upload(bruno, NOTE + b"%d" % n, f"{n}.txt", group_id=team)).document_id or ""
        for n in range(3)
    ]

    async def away() -> None:
        raise StorageAway

    async def once() -> None:
        works.blobs.before_copy = away

    works.blobs.before_copy = once
    with pytest.raises(StorageAway):
        await works.groups.delete_group(anna, team)
    views = [await works.house.documents.get_document(bruno, each) for each in ids]
    assert sorted(view.is_private for view in views) == [False, False, True]
    assert (await works.groups.get_group(bruno, team)).member_count == 2
    await works.groups.delete_group(anna, team)
    views = [await works.house.documents.get_document(bruno, each) for each in ids]
    assert all(view.is_private for view in views)
    assert len(works.blobs.sealed) == 3


async def test_what_arrives_while_a_group_goes_is_moved_as_well(works: Works) -> None:
    team, anna, bruno = await team_of_two(works)
    await works.house.upload(bruno, NOTE, "first.txt", group_id=team)
    late: list[str] = []

    async def arrives() -> None:
        late.append(
            (await works.house.upload(bruno, NOTE + b"!", "late.txt", group_id=team)).document_id or ""
        )

    works.blobs.before_copy = arrives
    await works.groups.delete_group(anna, team)
    view = await works.house.documents.get_document(bruno, late[0])
    assert (view.group_id, view.is_private, view.state) == (None, True, "ready")


async def test_a_group_in_which_documents_keep_arriving_says_so_and_stays(works: Works) -> None:
    team, anna, bruno = await team_of_two(works)
    await works.house.upload(bruno, NOTE, "first.txt", group_id=team)
    count = 0

    async def arrives() -> None:
        nonlocal count
        count += 1
        await works.house.upload(bruno, NOTE + b"%d" % count, "more.txt", group_id=team)
        works.blobs.before_copy = arrives

    works.blobs.before_copy = arrives
    with pytest.raises(GroupBusy):
        await works.groups.delete_group(anna, team)
    works.blobs.before_copy = None
    await works.groups.delete_group(anna, team)
    views = (await works.house.documents.list_documents(bruno, DocumentFilter(), PAGE)).items
    assert len(views) == count + 1
    assert all(view.is_private for view in views)


async def test_an_upload_that_ends_after_its_group_is_refused(works: Works) -> None:
    team, anna, bruno = await team_of_two(works)

    async def slow() -> AsyncIterator[bytes]:
        yield NOTE
        await works.groups.delete_group(anna, team)

    with pytest.raises(NotFound):
        await works.house.ingestion.upload(bruno, Upload("slow.txt", group_id=team), slow())
    assert works.blobs.sealed == {}


async def test_a_move_that_ends_after_its_group_changes_nothing(works: Works) -> None:
    team, anna, bruno = await team_of_two(works)
    item = await works.house.upload(bruno, NOTE, "mine.txt")
    before = await works.house.documents.get_document(bruno, item.document_id or "")

    async def goes() -> None:
        await works.groups.delete_group(anna, team)

    works.blobs.before_copy = goes
    with pytest.raises(ChangedMeanwhile):
        await works.house.sharing.change_document(
            bruno, before.id, ChangeDocument(group_id=team, is_private=False)
        )
    assert await works.house.documents.get_document(bruno, before.id) == before
    assert list(works.blobs.sealed) == [before.file_id]


async def test_a_suspended_owner_gets_theirs_back_too(works: Works) -> None:
    team, anna, bruno = await team_of_two(works)
    item = await works.house.upload(bruno, NOTE, group_id=team)
    await works.people.set_active(works.root, bruno.user_id, is_active=False)
    await works.groups.delete_group(anna, team)
    await works.people.set_active(works.root, bruno.user_id, is_active=True)
    bruno = await works.house.signed_in("bruno")
    assert (await works.house.documents.get_document(bruno, item.document_id or "")).is_private
    await works.assert_whole(bruno, item.document_id or "")


@pytest.mark.parametrize("way", ["group goes", "owner moves"])
@pytest.mark.parametrize("at", ["before_reading", "after_reading", "embedding"])
async def test_a_document_that_moves_while_it_is_being_read_is_whole(works: Works, at: str, way: str) -> None:
    """Its bytes lie under another key and id then, its passages too, wherever the reading was."""
    team, anna, bruno = await team_of_two(works)
    if at == "embedding":
        document_id, _ = await works.reading(bruno, group_id=team)
    else:
        getattr(works.blobs, at).clear()
        item = await works.house.ingestion.upload(bruno, Upload("long.txt", group_id=team), pieces(LONG))
        document_id = item.document_id or ""
        await works.blobs.reached.wait()
    if way == "group goes":
        await works.groups.delete_group(anna, team)
    else:
        await works.house.sharing.change_document(bruno, document_id, ChangeDocument(group_id=""))
    await works.go_on()
    await works.assert_whole(bruno, document_id)
    points = await works.house.installation.gateways.vectors.list_points(limit=1_000)
    assert {point.visibility for point in points} == {(f"u:{bruno.user_id}",)}


async def test_a_row_that_points_at_nothing_is_a_conflict_not_a_failure(database: Database) -> None:
    """Whoever adds to what somebody else removes in the same moment is told to look again."""

    async def add() -> None:
        async with database.write() as unit:
            group = Group(name="x", name_key="x")
            unit.session.add(group)
            await unit.session.flush()
            unit.session.add(Membership(group_id=group.id, user_id="nobody"))

    with pytest.raises(ChangedMeanwhile):
        await add()
    assert (await every_row(database))["groups"] == []
