"""The way to the installation when there is none, or when it is not ours to open."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from youworker_app.console.connection import connected
from youworker_app.console.problems import Problem
from youworker_app.core.local_socket import LocalSocket
from youworker_app.core.ownership import DataFolder
from youworker_app.core.settings import Settings


@asynccontextmanager
async def never(settings: Settings) -> AsyncIterator[Path]:
    raise AssertionError("it was opened")
    yield


async def reach(folder: Path) -> None:
    async with connected(Settings(data_dir=folder), never, patience_s=0.2):
        pass


async def test_a_folder_without_an_installation_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="There is no YouWorker in"):
        await reach(tmp_path / "elsewhere")
    assert list(tmp_path.iterdir()) == []


async def test_one_that_starts_or_stops_is_waited_for_and_told(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path).own()
    try:
        with pytest.raises(Problem, match="starting or stopping, or another command"):
            await reach(tmp_path)
    finally:
        folder.release()


async def test_one_that_has_just_started_is_used(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path).own()
    place = LocalSocket(tmp_path)
    try:
        with place.open():
            await reach(tmp_path)
    finally:
        place.remove()
        folder.release()


async def test_the_folder_of_another_user_is_not_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    DataFolder(tmp_path).own().release()
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 4_000_000)
    with pytest.raises(Problem, match="belongs to user"):
        await reach(tmp_path)
