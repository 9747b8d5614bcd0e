"""Room on the disk, and a data folder that cannot be used: a sentence each."""

from pathlib import Path

import pytest

from youworker_app.core.disk import disk_errors, free_bytes, require_room
from youworker_app.core.errors import ConfigurationError, StorageAway, StorageFull
from youworker_app.core.ownership import DataFolder
from youworker_app.core.secrets import load_master_keys
from youworker_app.core.settings import Settings
from youworker_app.gateways.embeddings.minilm import MiniLMEmbedder


def test_room_is_asked_for_before_the_folder_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "made"
    free = free_bytes(folder)
    assert free > 0
    require_room(folder, 0)
    require_room(folder, 1)
    with pytest.raises(StorageFull):
        require_room(folder, 2**62)


def test_a_full_disk_and_a_failing_one_are_told_apart() -> None:
    with pytest.raises(StorageFull), disk_errors():
        raise OSError(28, "No space left on device")
    with pytest.raises(StorageAway), disk_errors():
        raise OSError(5, "Input/output error")
    with pytest.raises(FileNotFoundError), disk_errors():
        raise FileNotFoundError


def test_a_data_folder_where_nothing_may_be_made() -> None:
    # Not even root makes a folder there.
    with pytest.raises(ConfigurationError, match="data folder /sys/youworker cannot be used"):
        DataFolder(Path("/sys/youworker")).own()


def test_a_key_file_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text("a file where a folder should be")
    with pytest.raises(ConfigurationError, match="cannot be read or written"):
        load_master_keys(Settings(data_dir=tmp_path))


async def test_a_model_that_cannot_be_kept_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where a folder should be")
    embedder = MiniLMEmbedder(tmp_path / "models")
    with pytest.raises(StorageAway):
        await embedder.embed_query("boiler")
    await embedder.close()
