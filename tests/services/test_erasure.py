"""Erasing a person: nothing of theirs is left, nothing of others is touched, and a process that dies half way is healed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import col

from tests.house import PASSWORD, House, open_house, pieces
from tests.rows import every_row, traces
from youworker_app.access.actor import Actor, Scope, ScopeMissing
from youworker_app.access.permissions import RootOnly
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.accounts.errors import LastRoot, SignInFailed
from youworker_app.accounts.schemas import CreateApiKey, CreateUser
from youworker_app.chat.schemas import AskQuestion
from youworker_app.core.clock import now
from youworker_app.core.db import Database
from youworker_app.core.errors import NotFound, Unauthenticated
from youworker_app.core.keys import DataKeys
from youworker_app.core.paging import PageRequest
from youworker_app.core.ports import Ports
from youworker_app.documents.schemas import DocumentFilter, DocumentView
from youworker_app.gateways.blobs.errors import StorageAway
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.llm.scripted import NoModel
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.vectors.errors import VectorStoreAway
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.ingestion.schemas import Upload
from youworker_app.models.documents import Document
from youworker_app.wiring import Gateways

NAME = "annabella-rossi"
PAGE = PageRequest()


class Blobs(MemoryBlobStore):
    """Cannot delete while it is away."""

    is_away = False

    async def delete(self, blob_id: str) -> None:
        if self.is_away:
            raise StorageAway
        await super().delete(blob_id)


class Vectors(MemoryVectorStore):
    """Cannot delete while it is away."""

    is_away = False

    async def delete_document(self, document_id: str) -> None:
        if self.is_away:
            raise VectorStoreAway
        await super().delete_document(document_id)


@dataclass
class Company:
    """Anna shares with one group that has another admin, one that has none, and one that has nobody else any more."""

    house: House
    blobs: Blobs
    vectors: Vectors
    root: Actor
    anna: Actor
    documents: dict[str, str]
    groups: dict[str, str]
    answer: str  # Bruno's, made from what Anna shared

    async def actor(self, name: str) -> Actor:
        return await self.house.signed_in(name)

    async def view(self, name: str, document: str) -> DocumentView:
        return await self.house.documents.get_document(await self.actor(name), self.documents[document])

    async def remove(self) -> None:
        await self.house.installation.people.remove_user(self.root, self.anna.user_id)
        await self.house.installation.queue.idle()

    async def blob_ids(self) -> set[str]:
        return {each async for each in self.blobs.list_ids()}


def text_about(word: str) -> bytes:
    return f"The boiler {word} is serviced in March. Its number is K-{word}.".encode()


@pytest.fixture
async def company(
    database: Database, database_url: str, tmp_path: Path, keys: DataKeys
) -> AsyncIterator[Company]:
    """A company in which Anna has left something everywhere."""
    blobs, vectors = Blobs(), Vectors()
    gateways = Gateways(blobs, vectors, InMemoryEmbedder(), NoModel(), LocalParser())
    house = await open_house(database_url, tmp_path / "data", keys, gateways=gateways)
    root = await house.person("root")
    for name in (NAME, "bruno", "carla"):
        await house.person(name)
    anna = await house.signed_in(NAME)
    groups = {
        "team": await house.team(anna, "Team", "carla"),
        "crew": await house.team(anna, "Crew", "carla", "bruno"),
        "alone": await house.team(anna, "Alone", "bruno"),
    }
    anna = await house.signed_in(NAME)
    await house.installation.groups.add_member(anna, groups["team"], "bruno", "admin")
    documents = await upload_all(house, groups)
    bruno = await house.signed_in("bruno")
    await house.installation.groups.remove_member(bruno, groups["alone"], bruno.user_id)
    for person in (anna, bruno):
        started = await house.chat.ask(person, AskQuestion("What number has the boiler shared?"))
        answer = (await house.chat.wait(person, started.run_id)).id
        house.forget(started.run_id)
    await house.installation.api_keys.create_key(anna, CreateApiKey("script", ("chat:read",)))
    yield Company(house, blobs, vectors, root, anna, documents, groups, answer)
    await house.stop()


async def upload_all(house: House, groups: dict[str, str]) -> dict[str, str]:
    """One document of each kind; the key says whose and where."""
    found = {}
    for who, word, group, is_private in (
        (NAME, "private", None, None),
        (NAME, "hidden", "team", True),
        (NAME, "shared", "team", False),
        (NAME, "crewed", "crew", False),
        (NAME, "lonely", "alone", False),
        ("bruno", "left", "alone", False),
        ("bruno", "own", None, None),
        ("bruno", "common", "team", False),
    ):
        item = await house.upload(
            await house.signed_in(who),
            text_about(word),
            f"{word}.txt",
            group_id=groups[group] if group else None,
            is_private=is_private,
            tags=(word,),
        )
        found[word] = item.document_id or ""
    return found


async def test_nothing_of_a_person_is_left_but_their_id_in_the_audit_trail(company: Company) -> None:
    before = await every_row(company.house.installation.db)
    personal = {"users", "login_sessions", "api_keys", "memberships", "chat_sessions", "runs", "jobs"}
    expected = personal | {"documents", "stored_files", "audit_events"}
    assert {table for table, _ in traces(before, company.anna.user_id)} == expected
    await company.remove()
    rows = await every_row(company.house.installation.db)
    assert traces(rows, company.anna.user_id) == {("audit_events", "subject_id")}
    naming = [row["action"] for row in rows["audit_events"] if row["subject_id"] == company.anna.user_id]
    assert naming == ["user.removed"]
    assert traces(rows, NAME) == set()
    for table in ("citations", "messages", "chunks", "document_tags"):
        assert len(rows[table]) < len(before[table])
    owners = {row["key_id"] for table in ("users", "stored_files") for row in rows[table]}
    assert {row["id"] for row in rows["encryption_keys"]} == owners


async def test_bytes_and_vectors_go_with_the_rows(company: Company) -> None:
    await company.remove()
    rows = await every_row(company.house.installation.db)
    assert await company.blob_ids() == {row["id"] for row in rows["stored_files"]}
    assert (await company.vectors.count_by_document()).keys() == {row["id"] for row in rows["documents"]}
    kept = {company.documents[word] for word in ("shared", "crewed", "left", "own", "common")}
    assert {row["id"] for row in rows["documents"]} == kept
    keywords = {word for point in company.vectors._points.values() for word in point.visibility}
    assert f"u:{company.anna.user_id}" not in keywords


async def test_what_was_shared_goes_to_an_admin_of_the_group(company: Company) -> None:
    shared = await company.view("bruno", "shared")
    await company.remove()
    for name, document, word in (("bruno", "shared", "K-shared"), ("carla", "crewed", "K-crewed")):
        view = await company.view(name, document)
        assert (view.owner, view.is_mine, view.state, view.is_private) == (name, True, "ready", False)
        job = await company.house.ingestion.get_job(await company.actor(name), view.job_id)
        assert job.state == "done"
        actor = await company.actor(name)
        assert word in (await company.house.documents.list_chunks(actor, view.id, PAGE)).items[0].text
        points = [each for each in company.vectors._points.values() if each.document_id == view.id]
        assert {each.visibility for each in points} == {(f"u:{actor.user_id}", f"g:{view.group_id}")}
    assert (await company.view("bruno", "shared")).file_id == shared.file_id
    await company.house.documents.delete_document(await company.actor("bruno"), company.documents["shared"])


async def test_a_group_left_without_an_admin_gets_its_longest_standing_member(company: Company) -> None:
    await company.remove()
    for group, admins in (("team", {"bruno"}), ("crew", {"carla"})):
        members = await company.house.installation.groups.list_members(
            await company.actor("bruno"), company.groups[group]
        )
        assert {each.username: each.role for each in members} == {
            name: "admin" if name in admins else "member" for name in ("bruno", "carla")
        }


async def test_a_suspended_admin_inherits_only_where_nobody_else_is(company: Company) -> None:
    people = company.house.installation.people
    bruno = await company.actor("bruno")
    await people.set_active(company.root, bruno.user_id, is_active=False)
    await company.remove()
    assert (await company.view("carla", "shared")).owner == "carla"
    await people.set_active(company.root, bruno.user_id, is_active=True)
    assert (await company.view("bruno", "shared")).owner == "carla"


async def test_an_admin_who_can_sign_in_comes_before_one_who_is_longer_there(company: Company) -> None:
    house = company.house
    carla = await company.actor("carla")
    await house.installation.groups.change_role(
        await company.actor("bruno"), company.groups["team"], carla.user_id, "admin"
    )
    await house.installation.people.set_active(company.root, carla.user_id, is_active=False)
    await company.remove()
    for document in ("shared", "crewed"):
        assert (await company.view("bruno", document)).owner == "bruno"


async def test_a_group_of_nobody_else_goes_and_gives_back_what_others_left_in_it(company: Company) -> None:
    await company.remove()
    rows = await every_row(company.house.installation.db)
    assert traces(rows, company.groups["alone"]) <= {
        ("audit_events", name) for name in ("resource_id", "details")
    }
    left = await company.view("bruno", "left")
    assert (left.group_id, left.is_private, left.is_mine) == (None, True, True)
    content = await company.house.documents.open_file(await company.actor("bruno"), left.file_id)
    assert b"".join([piece async for piece in content.stream]) == text_about("left")


async def test_others_are_not_touched(company: Company) -> None:
    async def seen() -> list[object]:
        found: list[object] = []
        for name in ("bruno", "carla", "root"):
            actor = await company.actor(name)
            listed = await company.house.documents.list_documents(actor, DocumentFilter(), PAGE)
            found += [view for view in listed.items if view.id not in moved]
            sessions = await company.house.conversations.list_sessions(actor, None, PAGE)
            found += sessions.items
        bruno = await company.actor("bruno")
        answer = await company.house.conversations.get_message(bruno, company.answer)
        gone = {company.documents[word] for word in ("lonely",)}
        found += [
            answer.content,
            *(each for each in answer.citations if each.document_id not in gone | moved),
        ]
        return found

    moved = {company.documents[word] for word in ("shared", "crewed", "left")}
    before = await seen()
    assert len(before) > 5
    await company.remove()
    assert await seen() == before


async def test_they_are_out_and_their_name_is_free(company: Company) -> None:
    await company.remove()
    with pytest.raises(SignInFailed):
        await company.house.signed_in(NAME)
    people = company.house.installation.people
    again = await people.create_user(company.root, CreateUser(NAME, PASSWORD))
    assert again.id != company.anna.user_id
    anew = await company.house.signed_in(NAME)
    assert (await company.house.documents.list_documents(anew, DocumentFilter(), PAGE)).items == ()
    with pytest.raises(NotFound):
        await people.remove_user(company.root, company.anna.user_id)


async def test_the_audit_trail_tells_who_and_how_much(company: Company) -> None:
    await company.remove()
    events = (await every_row(company.house.installation.db))["audit_events"]
    told = [each for each in events if each["action"] == "user.removed"]
    assert [(each["actor_id"], each["subject_id"]) for each in told] == [
        (company.root.user_id, company.anna.user_id)
    ]
    counts = told[0]["details"]
    # Anna's own: one conversation of a question and an answer; three documents that nobody inherits.
    assert {name: counts[name] for name in ("users", "chat_sessions", "messages", "documents")} == {
        "users": 1,
        "chat_sessions": 1,
        "messages": 2,
        "documents": 3,
    }
    handed = [each["details"]["documents"] for each in events if each["action"] == "documents.handed_over"]
    assert handed == [1, 1]


@pytest.mark.parametrize("way", ["dies", "stores away"])
async def test_what_the_commit_left_over_is_swept_at_the_next_start(
    company: Company,
    database_url: str,
    tmp_path: Path,
    keys: DataKeys,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    if way == "dies":
        monkeypatch.setattr(Ports, "_start", lambda self, steps: None)
    # The groups that go with them are removed before: their documents are copied, which needs the stores.
    await company.house.installation.groups.close_deserted(company.root, company.anna.user_id)
    company.blobs.is_away = company.vectors.is_away = way != "dies"
    await company.house.installation.people.remove_user(company.root, company.anna.user_id)
    rows = await every_row(company.house.installation.db)
    files = {row["id"] for row in rows["stored_files"]}
    assert await company.blob_ids() > files
    await company.house.stop()
    monkeypatch.undo()
    company.blobs.is_away = company.vectors.is_away = False
    again = await open_house(
        database_url, tmp_path / "data", keys, gateways=company.house.installation.gateways
    )
    await again.installation.queue.idle()
    assert await company.blob_ids() == files
    assert (await company.vectors.count_by_document()).keys() == {row["id"] for row in rows["documents"]}
    keywords = {word for point in company.vectors._points.values() for word in point.visibility}
    assert f"u:{company.anna.user_id}" not in keywords
    await again.stop()


async def test_who_breaks_off_loses_nothing_and_leaves_nothing(company: Company) -> None:
    """The administrator's connection is lost at any moment: asked again, the removal is whole."""
    people = company.house.installation.people
    for turns in range(0, 120, 7):
        task = asyncio.create_task(people.remove_user(company.root, company.anna.user_id))
        for _ in range(turns):
            await asyncio.sleep(0.0005)
        task.cancel()
        await asyncio.wait((task,))
    with suppress(NotFound):
        await people.remove_user(company.root, company.anna.user_id)
    await company.house.installation.ports.settle()
    await company.house.installation.queue.idle()
    rows = await every_row(company.house.installation.db)
    assert {table for table, _ in traces(rows, company.anna.user_id)} == {"audit_events"}
    assert await company.blob_ids() == {row["id"] for row in rows["stored_files"]}
    assert (await company.view("bruno", "shared")).owner == "bruno"


async def test_an_upload_under_way_ends_with_its_person(company: Company) -> None:
    before = await company.blob_ids()
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"The beginning of a long report. " * 1_000
        arrived.set()
        await go_on.wait()
        yield b"And its end."

    upload = asyncio.create_task(company.house.ingestion.upload(company.anna, Upload("slow.txt"), slow()))
    await arrived.wait()
    await company.remove()
    go_on.set()
    with pytest.raises(Unauthenticated):
        await upload
    assert await company.blob_ids() <= before | await copies_of(company)


async def copies_of(company: Company) -> set[str]:
    """What was copied because its group went."""
    return {(await company.view("bruno", "left")).file_id}


async def test_a_file_on_which_a_document_of_others_stands_stays(company: Company) -> None:
    """Anna has thrown hers away, so that nobody inherits it; Bruno brought the same content to the group."""
    shared = await company.view(NAME, "shared")
    thrown_away = update(Document).where(col(Document.id) == shared.id).values(deleted_at=now())
    async with company.house.installation.db.write() as unit:
        await unit.session.execute(system_scope(thrown_away, SystemReason.ERASURE))
    bruno = await company.actor("bruno")
    item = await company.house.upload(bruno, text_about("shared"), "mine.txt", group_id=shared.group_id)
    await company.remove()
    mine = await company.house.documents.get_document(bruno, item.document_id or "")
    assert mine.file_id == shared.file_id
    content = await company.house.documents.open_file(bruno, mine.file_id)
    assert b"".join([piece async for piece in content.stream]) == text_about("shared")
    rows = await every_row(company.house.installation.db)
    assert shared.id not in {row["id"] for row in rows["documents"]}


# --- who may


async def test_only_administrators_remove(company: Company) -> None:
    people = company.house.installation.people
    for call in (people.remove_user, lambda a, b: people.set_active(a, b, is_active=False)):
        for user_id in (company.anna.user_id, company.root.user_id, "nobody", "\0"):
            with pytest.raises(RootOnly):
                await call(await company.actor("bruno"), user_id)
            with pytest.raises(ScopeMissing):
                await call(replace(company.root, scopes=frozenset({Scope.CHAT_READ})), user_id)
        for user_id in ("nobody", "\0"):
            with pytest.raises(NotFound):
                await call(company.root, user_id)
        with pytest.raises(LastRoot):
            await call(company.root, company.root.user_id)
    assert (await company.view(NAME, "private")).state == "ready"


async def test_an_administrator_may_go_where_another_stays(company: Company) -> None:
    people = company.house.installation.people
    await people.create_user(company.root, CreateUser("second", PASSWORD, is_root=True))
    second = await company.actor("second")
    await people.remove_user(second, second.user_id)
    with pytest.raises(SignInFailed):
        await company.actor("second")


@pytest.mark.parametrize("what", ["remove", "suspend"])
async def test_two_administrators_who_remove_each_other_leave_one(company: Company, what: str) -> None:
    people = company.house.installation.people
    await people.create_user(company.root, CreateUser("second", PASSWORD, is_root=True))
    second = await company.actor("second")

    async def out(by: Actor, whom: Actor) -> None:
        if what == "remove":
            await people.remove_user(by, whom.user_id)
        else:
            await people.set_active(by, whom.user_id, is_active=False)

    results = await asyncio.gather(
        out(second, company.root), out(company.root, second), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in results) == ["NoneType", "RootOnly"]


async def test_a_person_without_anything_goes_too(house: House) -> None:
    await house.person("nora")
    nora = await house.signed_in("nora")
    assert house.root
    await house.installation.people.remove_user(house.root, nora.user_id)
    assert traces(await every_row(house.installation.db), "nora") == set()


async def test_the_same_content_of_another_person_stays(house: House) -> None:
    anna, bruno = await house.person("anna"), await house.person("bruno")
    for actor in (anna, bruno):
        item = await house.ingestion.upload(actor, Upload("same.txt"), pieces(text_about("same")))
        await house.installation.queue.idle()
    assert house.root
    await house.installation.people.remove_user(house.root, anna.user_id)
    view = await house.documents.get_document(bruno, item.document_id or "")
    content = await house.documents.open_file(bruno, view.file_id)
    assert b"".join([piece async for piece in content.stream]) == text_about("same")
