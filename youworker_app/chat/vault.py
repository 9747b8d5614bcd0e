"""Sealing what people write, under their own key."""

from cryptography.fernet import InvalidToken

from youworker_app.chat.repository import ChatRepository
from youworker_app.core.crypto import DecryptionFailed
from youworker_app.core.keys import DataKeys, fernet


class Vault:
    """One person's messages and titles, in and out of their sealed form."""

    def __init__(self, data_key: bytes) -> None:
        self._fernet = fernet(data_key)

    def seal(self, text: str) -> bytes:
        """Fernet under the person's key."""
        # A lone surrogate cannot be stored; it becomes a question mark.
        return self._fernet.encrypt(text.encode("utf-8", errors="replace"))

    def open(self, sealed: bytes) -> str:
        """The text. Raises DecryptionFailed."""
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken as error:
            raise DecryptionFailed from error


async def vault_of(repository: ChatRepository, keys: DataKeys) -> Vault:
    """The actor's vault."""
    return Vault(keys.unwrap(await repository.wrapped_key()))
