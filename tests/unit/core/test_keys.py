"""Keys: what is sealed opens with its key and place alone; weak master keys are refused."""

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from youworker_app.core.crypto import (
    DecryptionFailed,
    MasterKeys,
    new_data_key,
    new_master_key,
    open_sealed,
    seal,
)
from youworker_app.core.errors import ConfigurationError
from youworker_app.core.keys import DataKeys
from youworker_app.core.ownership import DataFolder
from youworker_app.core.secrets import load_master_keys
from youworker_app.core.settings import SecuritySettings, Settings


@given(st.binary(max_size=500), st.binary(max_size=20))
def test_sealed_text_opens_and_every_changed_byte_is_noticed(plain: bytes, aad: bytes) -> None:
    key = new_data_key()
    sealed = seal(key, plain, aad)
    assert open_sealed(key, sealed, aad) == plain
    for position in (0, len(sealed) // 2, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(DecryptionFailed):
            open_sealed(key, bytes(changed), aad)
    with pytest.raises(DecryptionFailed):
        open_sealed(key, sealed, aad + b"x")
    with pytest.raises(DecryptionFailed):
        open_sealed(new_data_key(), sealed, aad)
    with pytest.raises(DecryptionFailed):
        open_sealed(key, b"", aad)


def test_an_older_master_key_opens_and_the_newest_wraps() -> None:
    old, new = new_master_key(), new_master_key()
    wrapped = MasterKeys([old]).wrap(b"k" * 32)
    both = MasterKeys([new, old])
    assert both.unwrap(wrapped) == b"k" * 32
    assert MasterKeys([new]).unwrap(both.wrap(b"x" * 32)) == b"x" * 32
    with pytest.raises(DecryptionFailed):
        MasterKeys([new]).unwrap(wrapped)


def test_derived_keys_differ_by_purpose_and_outlive_a_rotation() -> None:
    old, new = new_master_key(), new_master_key()
    assert MasterKeys([old]).derive("a") != MasterKeys([old]).derive("b")
    assert MasterKeys([new, old]).derive("a") == MasterKeys([old]).derive("a")


def test_data_keys_are_remembered_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = DataKeys(MasterKeys([new_master_key()]))
    plain, wrapped = keys.new()
    assert keys.unwrap(wrapped) == keys.unwrap(wrapped) == plain
    monkeypatch.setattr("youworker_app.core.keys._REMEMBERED", 2)
    for _ in range(5):
        keys.unwrap(keys.new()[1])
    assert len(keys._cache) <= 3


def test_the_first_start_makes_a_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    first = load_master_keys(settings)
    path = tmp_path / "data" / "secrets" / "master.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert load_master_keys(settings) == first


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    load_master_keys(settings)
    (tmp_path / "secrets" / "master.key").chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_master_keys(settings)


def test_an_emptied_key_file_is_not_replaced(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    load_master_keys(settings)
    (tmp_path / "secrets" / "master.key").write_text("")
    with pytest.raises(ConfigurationError, match="empty"):
        load_master_keys(settings)


@pytest.mark.parametrize(
    "weak",
    [
        "changeme",
        "secret",
        base64.urlsafe_b64encode(b"\0" * 32).decode(),
        base64.urlsafe_b64encode(b"0123456789abcdefghijklmnopqrstuv").decode(),
        base64.urlsafe_b64encode(b"changeme" * 4).decode(),
        base64.urlsafe_b64encode(bytes(range(60, 250, 12))).decode(),
        "ü" * 44,
    ],
)
def test_a_weak_or_placeholder_key_from_outside_is_refused_with_what_to_do(tmp_path: Path, weak: str) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.security = SecuritySettings(master_keys=(SecretStr(weak),))
    with pytest.raises(ConfigurationError, match="Make one with") as refused:
        load_master_keys(settings)
    assert weak not in str(refused.value)


def test_a_strong_key_from_outside_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [new_master_key(), new_master_key()]
    monkeypatch.setenv("YOUWORKER_SECURITY_MASTER_KEYS", ", ".join(keys))
    assert load_master_keys(Settings(data_dir=tmp_path)) == keys
    assert not (tmp_path / "secrets").exists()


def test_one_process_owns_a_data_folder(tmp_path: Path) -> None:
    first = DataFolder(tmp_path / "data").own()
    with pytest.raises(ConfigurationError, match="Another YouWorker"):
        DataFolder(tmp_path / "data").own()
    first.release()
    DataFolder(tmp_path / "data").own().release()


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="YOUWORKER_STORAGE_DATA_DIR"):
        DataFolder(tmp_path / "file" / "data").own()
