"""A random company for Hypothesis: the product's own services on a database of its own, with vectors and blobs in memory."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hypothesis.stateful import RuleBasedStateMachine

from tests.databases import Databases
from tests.house import PASSWORD, House, open_house
from tests.isolation.looking import Company
from tests.isolation.world import memory_gateways
from youworker_app.access.actor import Actor
from youworker_app.accounts.schemas import Carrier, Client, CreateUser, Credential
from youworker_app.core import registry
from youworker_app.core.crypto import MasterKeys, new_master_key
from youworker_app.core.errors import AppError
from youworker_app.core.keys import DataKeys
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.gateways.vectors.memory import MemoryVectorStore

T = TypeVar("T")

PERSONS = ("root", "ada", "bo", "cy")


@dataclass(frozen=True)
class Seed:
    """An installation with people in it and nothing else, to begin from."""

    databases: Databases
    url: str
    keys: DataKeys
    tokens: dict[str, str]
    ids: dict[str, str]


def make_seed(databases: Databases, folder: Path) -> Seed:
    """People who have signed in."""
    made = Seed(databases, databases.fresh(folder), DataKeys(MasterKeys([new_master_key()])), {}, {})

    async def make() -> None:
        house = await open_house(made.url, folder / "data", made.keys)
        accounts, root = house.installation.accounts, await house.person("root")
        for name in PERSONS[1:]:
            await house.installation.people.create_user(root, CreateUser(name, PASSWORD))
        for name in PERSONS:
            signed = await accounts.sign_in(name, PASSWORD, Client())
            made.tokens[name], made.ids[name] = signed.token, signed.user.id
        await house.stop()

    with asyncio.Runner() as runner:
        runner.run(make())
    registry.clear()
    return made


class Machine(RuleBasedStateMachine):
    """One company from its first day on: how things are done in it, and how they should end. The rules are the heir's."""

    def __init__(self, seed: Seed) -> None:
        super().__init__()
        self.seed, self.company = seed, Company()
        self.groups: dict[str, str] = {}
        self.made = self.steps = 0
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="company-"))
        self.vectors, self.blobs = MemoryVectorStore(), MemoryBlobStore()
        self.url = seed.databases.copy(seed.url, self.folder)
        self.house: House = self.run(self._open())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def _open(self) -> House:
        return await open_house(
            self.url, self.folder / "data", self.seed.keys, gateways=memory_gateways(self.blobs, self.vectors)
        )

    def teardown(self) -> None:
        self.run(self.house.stop())
        self.runner.close()
        registry.clear()
        self.seed.databases.drop(self.url)
        shutil.rmtree(self.folder)

    # --- who and what

    async def actor(self, person: str) -> Actor:
        """The person as they stand now. Raises Unauthenticated."""
        credential = Credential(Carrier.COOKIE, self.seed.tokens[person])
        return await self.house.installation.accounts.authenticate(credential)

    def someone(self, who: int, entitled: Collection[str]) -> str:
        """Mostly somebody who may, if there is one: else nearly everything would be refused. Now and then anybody."""
        among = sorted(entitled) if who < 12 and entitled else PERSONS
        return among[who % len(among)]

    def team(self, place: int) -> str:
        return list(self.groups)[place % len(self.groups)]

    def paper(self, place: int) -> str:
        return list(self.company.kept)[place % len(self.company.kept)]

    def attempt(self, person: str, work: Callable[[Actor], Awaitable[object]], *, expected: str = "") -> None:
        """Does something as a person and compares how it ends with the error's name, "" for none."""

        async def do() -> str:
            try:
                await work(await self.actor(person))
            except AppError as error:
                return type(error).__name__
            return ""

        ended = self.run(do())
        assert ended == ("Unauthenticated" if person in self.company.inactive else expected), (
            person,
            ended,
            expected,
        )

    def is_done(self, person: str, expected: str) -> bool:
        return not expected and person not in self.company.inactive
