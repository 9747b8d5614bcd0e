"""Where the generations of an embedded index stand: the first in the folder itself, later ones in folders inside of it."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from youworker_app.core.clock import now
from youworker_app.gateways.vectors.folder import IndexFolder
from youworker_app.gateways.vectors.generations import FIRST
from youworker_app.gateways.vectors.protocol import VectorStore

_ASIDE = "damaged-"


class FolderShelf:
    """Fulfils `VectorShelf`. `make` opens nothing: it gives the store of a folder."""

    def __init__(self, folder: Path, make: Callable[[Path], VectorStore]) -> None:
        self._folder, self._make = folder, make

    def store(self, name: str) -> VectorStore:
        return self._make(self._folder / name)

    async def remove(self, name: str) -> None:
        folder = self._folder / name
        if not folder.exists():
            return
        store = self.store(name)
        try:
            await store.reset()
        finally:
            await store.close()
        if name != FIRST:
            await asyncio.to_thread(shutil.rmtree, folder)

    async def set_aside(self, name: str) -> str:
        aside = self._folder / f"{_ASIDE}{now():%Y%m%dT%H%M%S%fZ}"
        await asyncio.to_thread(IndexFolder(self._folder / name).move, aside)
        return str(aside)

    async def is_anything_aside(self) -> bool:
        return any(self._folder.glob(f"{_ASIDE}*"))

    async def clear_aside(self) -> None:
        for aside in self._folder.glob(f"{_ASIDE}*"):
            await asyncio.to_thread(shutil.rmtree, aside)


class GivenShelf:
    """Fulfils `VectorShelf` with a first generation that is given, and a way to make others. Keeps them: for tests."""

    def __init__(self, first: VectorStore, make: Callable[[], VectorStore]) -> None:
        self.stores: dict[str, VectorStore] = {FIRST: first}
        self._make = make

    def store(self, name: str) -> VectorStore:
        return self.stores.setdefault(name, self._make())

    async def remove(self, name: str) -> None:
        store = self.store(name)
        await store.reset()
        await store.close()

    async def set_aside(self, name: str) -> str:
        await self.remove(name)
        return ""

    async def is_anything_aside(self) -> bool:
        return False

    async def clear_aside(self) -> None:
        """Nothing is ever there."""
