"""Passwords: hashed with argon2id off the event loop, and refused when they are easy to guess.

Owns no row. Hashing takes 64 MiB each, so only a few run at once, whatever is asked.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from youworker_app.accounts.errors import PasswordTooCommon, PasswordTooLong, PasswordTooShort
from youworker_app.core.names import name_key

T = TypeVar("T")

MAX_BYTES: Final = 1_024
_AT_ONCE: Final = 2


class Passwords:
    """Hashes, verifies and judges passwords. `hasher` is argon2id in RFC 9106's second form unless given."""

    def __init__(self, *, min_length: int, hasher: PasswordHasher | None = None) -> None:
        self._min_length = min_length
        self._hasher = hasher or PasswordHasher()
        # A pool of its own: it bounds memory even when callers give up waiting, and leaves the shared one free.
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="argon2")
        self._dummy: str | None = None

    def check_new(self, password: str, username: str) -> None:
        """Raises PasswordTooShort, PasswordTooLong or PasswordTooCommon."""
        if len(password) > MAX_BYTES or len(_encoded(form := _form(password))) > MAX_BYTES:
            raise PasswordTooLong(max_bytes=MAX_BYTES)
        if len(form) < self._min_length:
            raise PasswordTooShort(min_length=self._min_length)
        lower = form.casefold()
        own = name_key(username).replace(" ", "")
        if (
            _is_common(lower)
            or len(set(lower)) < 4
            or not lower.replace(" ", "").replace(own, "", 1).strip("0123456789!.")
        ):
            raise PasswordTooCommon

    async def hash(self, password: str) -> str:
        """The argon2id hash with its parameters and salt."""
        return await self._run(self._hasher.hash, _encoded(_form(password)))

    async def verify(self, known: str | None, password: str) -> bool:
        """Whether the password is the one behind the hash; without a hash the same work is done for nothing."""
        if len(password) > MAX_BYTES:
            password, known = "", None
        if self._dummy is None:
            self._dummy = await self.hash("nobody's password")
        matches = await self._run(self._matches, known or self._dummy, _encoded(_form(password)))
        return matches and known is not None

    async def renewed(self, known: str | None, password: str) -> str | None:
        """A new hash of the verified password where the known one was made with other parameters than today's."""
        if known is None or not self._hasher.check_needs_rehash(known):
            return None
        return await self.hash(password)

    def _matches(self, known: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)


def _form(password: str) -> str:
    # The same keys give the same password on every keyboard and system (NIST SP 800-63B, 5.1.1.2).
    return unicodedata.normalize("NFKC", password)


def _encoded(password: str) -> bytes:
    # A lone surrogate is no character; it counts, and never matches what somebody could have typed.
    return password.encode("utf-8", "surrogatepass")


def _is_common(password: str) -> bool:
    """Whether it is among the 30,000 most used ones."""
    return password in _common()


def _common() -> list[str]:
    """zxcvbn's list, read from its file alone and kept nowhere: with the rest of the package it would hold 12 MB."""
    package = find_spec("zxcvbn")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("zxcvbn", name="zxcvbn")
    place = Path(package.origin).with_name("frequency_lists.py")
    # Not an import: nothing of it stays in sys.modules, so it leaves memory with the answer.
    lists = SourceFileLoader("frequency_lists", str(place))
    module = ModuleType(lists.name)
    lists.exec_module(module)
    found: list[str] = module.FREQUENCY_LISTS["passwords"]
    return found
