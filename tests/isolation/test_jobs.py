"""The matrix over work that runs later: each kind of job, when the person in whose name it runs has lost what it needs."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from tests.isolation.founding import force
from tests.isolation.world import World
from youworker_app.access.visible import SystemReason, system_scope
from youworker_app.accounts.exports import KIND as EXPORT
from youworker_app.ingestion.service import KIND
from youworker_app.models.accounts import User
from youworker_app.models.documents import Chunk, Document
from youworker_app.models.groups import Membership
from youworker_app.models.jobs import Job

# For every kind of job: what must hold is tested below for each, and for exports, which nobody else has anything of, in
# tests/services/test_exports.py. tests/architecture/test_inventory.py holds it complete.
JOBS = {KIND, EXPORT}

Loss = Callable[[World], Awaitable[None]]


async def suspended(world: World) -> None:
    await force(world.db, update(User).where(col(User.username) == "member").values(is_active=False))


async def removed(world: World) -> None:
    groups = world.house.installation.groups
    member = world.facts.passes["member"].user_id
    await groups.remove_member(await world.actor("owner"), world.facts.teams["north"], member)


async def withdrawn(world: World) -> None:
    await force(
        world.db,
        update(Document)
        .where(col(Document.id) == world.facts.papers["shared"].document_id)
        .values(is_private=True),
    )


async def queue_as_member(world: World, *, stage: str = "stored") -> str:
    """A job over a colleague's document, asked for by somebody who may download it, and not delivered yet."""
    job = Job(
        kind=KIND,
        requester_id=world.facts.passes["member"].user_id,
        document_id=world.facts.papers["shared"].document_id,
        stage=stage,
    )
    async with world.db.write() as unit:
        unit.session.add(job)
    return job.id


async def state_of(world: World, job_id: str) -> tuple[str, str]:
    statement = select(Job).where(col(Job.id) == job_id)
    async with world.db.read() as unit:
        found = (await unit.session.execute(system_scope(statement, SystemReason.RECOVERY))).scalar_one()
    return found.state, found.error_code


async def passages_of(world: World) -> list[str]:
    statement = select(col(Chunk.id)).where(
        col(Chunk.document_id) == world.facts.papers["shared"].document_id
    )
    async with world.db.read() as unit:
        found = await unit.session.execute(system_scope(statement, SystemReason.RECOVERY))
    return sorted(found.scalars())


async def deliver(world: World, job_id: str) -> None:
    world.house.installation.queue.deliver(KIND, job_id)
    await world.house.installation.queue.idle()


async def test_work_goes_on_while_its_person_may(world: World) -> None:
    job_id = await queue_as_member(world)
    before = await passages_of(world)
    await deliver(world, job_id)
    assert await state_of(world, job_id) == ("done", "")
    assert await passages_of(world) != before  # made anew


@pytest.mark.parametrize(
    ("loss", "code"),
    [(suspended, "REQUESTER_GONE"), (removed, "NOT_FOUND"), (withdrawn, "NOT_FOUND")],
    ids=lambda each: getattr(each, "__name__", ""),
)
async def test_lost_access_stops_queued_work(world: World, loss: Loss, code: str) -> None:
    """The actor is rebuilt when the job runs: nothing is read, nothing is written."""
    job_id = await queue_as_member(world)
    await loss(world)
    before = await passages_of(world)
    await deliver(world, job_id)
    assert await state_of(world, job_id) == ("failed", code)
    assert await passages_of(world) == before


async def test_a_job_says_nothing_to_others(world: World) -> None:
    """Nor to the owner of the document: whose job it is, and how it went, is between the job and its person."""
    job_id = await queue_as_member(world)
    await removed(world)
    await deliver(world, job_id)
    for person in ("owner", "admin", "root", "stranger"):
        async with world.client(world.facts.passes[person].headers("key")) as client:
            assert (await client.get(f"/v1/ingest/jobs/{job_id}")).status_code == 404
            listed = (await client.get("/v1/documents", params={"limit": 200})).text
        assert job_id not in listed


async def test_memberships_are_read_when_the_job_runs(world: World) -> None:
    """Not when it was asked for: who came back may go on."""
    job_id = await queue_as_member(world)
    await removed(world)
    row = Membership(group_id=world.facts.teams["north"], user_id=world.facts.passes["member"].user_id)
    async with world.db.write() as unit:
        unit.session.add(row)
    await deliver(world, job_id)
    assert await state_of(world, job_id) == ("done", "")
