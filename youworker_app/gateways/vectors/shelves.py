"""Where the generations of an embedded index stand: the first in the folder itself, later ones in folders inside of it."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from youworker_app.gateways.vectors.generations import FIRST
from youworker_app.gateways.vectors.protocol import VectorStore


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
