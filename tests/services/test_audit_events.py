"""What is recorded of reading and sharing: who and what, in numbers and ids, never a word."""

import pytest

from tests.house import House
from tests.trail import events_of
from youworker_app.audit.service import AuditService
from youworker_app.core.database_errors import DatabaseAway
from youworker_app.core.db import Database
from youworker_app.core.paging import PageRequest
from youworker_app.core.registry import service
from youworker_app.documents.schemas import ChangeDocument
from youworker_app.retrieval.schemas import SearchQuery
from youworker_app.retrieval.service import RetrievalService


async def told(house: House, action: str) -> list[tuple[str | None, str, object]]:
    """(who, resource, details) of every event of one kind."""
    await house.installation.audit.write_noted(house.installation.db)
    return [
        (event.actor_id, event.resource_id, event.details)
        for event in await events_of(house.installation.db)
        if event.action == action
    ]


async def test_a_search_is_told_by_its_number_of_passages(house: House) -> None:
    anna = await house.person("anna")
    await house.upload(anna, b"The boiler in the cellar is serviced in March.")
    found = await service(RetrievalService).search(anna, SearchQuery("When is the boiler serviced?"))
    assert found
    assert await told(house, "search.done") == [(anna.user_id, "", {"passages": len(found)})]


async def test_opening_a_document_is_told_once(house: House) -> None:
    anna = await house.person("anna")
    item = await house.upload(anna, b"The boiler in the cellar is serviced in March.")
    assert item.document_id is not None
    for cursor in (None, "0"):
        await house.documents.list_chunks(anna, item.document_id, PageRequest(50, cursor))
    assert await told(house, "document.opened") == [(anna.user_id, item.document_id, {})]


async def test_looking_at_a_document_is_told_once_there_is_something_to_read(house: House) -> None:
    anna = await house.person("anna")
    item = await house.upload(anna, b"The boiler in the cellar is serviced in March.")
    assert item.document_id is not None
    await house.documents.get_document(anna, item.document_id)
    await house.documents.open_document(anna, item.document_id)
    await house.documents.list_chunks(anna, item.document_id, PageRequest(50), is_open=True)
    assert await told(house, "document.opened") == [(anna.user_id, item.document_id, {})]


async def test_sharing_is_told_with_before_and_after(house: House) -> None:
    await house.person("anna")
    anna = await house.signed_in("anna")
    group_id = await house.team(anna, "Legal")
    anna = await house.signed_in("anna")
    item = await house.upload(anna, b"The lease ends in 2031.")
    assert item.document_id is not None
    await house.sharing.change_document(anna, item.document_id, ChangeDocument(title="renamed"))
    await house.sharing.change_document(
        anna, item.document_id, ChangeDocument(group_id=group_id, is_private=False)
    )
    details = [each[2] for each in await told(house, "document.changed")]
    assert details[0] == {}
    private = {"private_before": True, "private_after": False}
    assert details[1] == {"group_before": None, "group_after": group_id, **private}


async def test_what_is_too_much_in_a_second_is_told_as_a_number(
    audit: AuditService, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("youworker_app.audit.service.MOST_NOTED", 2)
    for _ in range(5):
        audit.note(None, "thing.read")
    await audit.write_noted(database)
    await audit.write_noted(database)
    found = [(event.action, event.details) for event in await events_of(database)]
    assert sorted(found, key=str) == [("audit.lost", {"events": 3}), ("thing.read", {}), ("thing.read", {})]


async def test_what_could_not_be_written_is_written_later(
    audit: AuditService, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit.note(None, "thing.read")

    def away() -> None:
        raise DatabaseAway

    with monkeypatch.context() as patch:
        patch.setattr(database, "write", away)
        with pytest.raises(DatabaseAway):
            await audit.write_noted(database)
    await audit.write_noted(database)
    assert [event.action for event in await events_of(database)] == ["thing.read"]
