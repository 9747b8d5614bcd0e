"""What has to be true of a person before they are written: a usable name, a fair password, a data key of their own."""

from typing import Final

from youworker_app.accounts.errors import UsernameNotUsable
from youworker_app.accounts.passwords import Passwords
from youworker_app.accounts.schemas import CreateUser, NewUser
from youworker_app.core.keys import DataKeys
from youworker_app.core.names import visible_name

LONGEST_USERNAME: Final = 64


class Newcomers:
    """Makes people ready to be written."""

    def __init__(self, passwords: Passwords, keys: DataKeys) -> None:
        self._passwords, self._keys = passwords, keys

    async def prepare(self, wanted: CreateUser) -> NewUser:
        """The person with a hashed password, if one is given, and a wrapped key.

        Raises UsernameNotUsable, PasswordTooShort, PasswordTooLong, PasswordTooCommon.
        """
        name = visible_name(wanted.username)
        if name is None or len(name) > LONGEST_USERNAME:
            raise UsernameNotUsable(max_length=LONGEST_USERNAME)
        hashed = None
        if wanted.password is not None:
            self._passwords.check_new(wanted.password, name)
            hashed = await self._passwords.hash(wanted.password)
        _, wrapped = self._keys.new()
        return NewUser(name, hashed, wrapped, wanted.is_root)
