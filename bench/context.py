"""What a scenario is given: a folder for what it makes, the model server, and how thorough it should be."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bench.servers import Models, Server, product

# `smoke` proves that a scenario runs; its figures mean nothing.
Size = Literal["full", "quick", "smoke"]


@dataclass
class Bench:
    """`size`: how many repetitions and how large amounts; the report says which. `remarks` are for the report."""

    folder: Path
    models: Models
    size: Size = "full"
    remarks: list[str] = field(default_factory=list)
    _made: int = 0

    def new_folder(self) -> Path:
        """An empty folder of one's own."""
        self._made += 1
        folder = self.folder / f"{self._made}"
        folder.mkdir()
        return folder

    @asynccontextmanager
    async def product(
        self, settings: Mapping[str, str] | None = None, *, program: str = ""
    ) -> AsyncIterator[Server]:
        """The product on a new data folder; `program` where another module starts it."""
        async with product(self.new_folder(), self.models, settings, program=program) as server:
            yield server

    def pick(self, full: int, quick: int, smoke: int = 1) -> int:
        """How many, by the run's size."""
        return {"full": full, "quick": quick, "smoke": smoke}[self.size]
