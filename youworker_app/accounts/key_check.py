"""At start: is the master key the one that this data was written with? Told then, not at somebody's first read."""

from youworker_app.accounts.repository import Entrance
from youworker_app.core.crypto import DecryptionFailed
from youworker_app.core.db import Database
from youworker_app.core.errors import ConfigurationError
from youworker_app.core.keys import DataKeys

_FACT = "master_key_check"


async def check_master_key(db: Database, keys: DataKeys) -> None:
    """Remembers the key at the first start. Raises ConfigurationError when it is another one later."""
    async with db.write() as unit:
        entrance = Entrance(unit)
        known = await entrance.fact(_FACT)
        if known is None:
            await entrance.set_fact(_FACT, keys.new()[1].decode())
            return
    try:
        keys.unwrap(known.encode())
    except DecryptionFailed as error:
        raise ConfigurationError(
            problem="The master key is not the one that this data was written with. Put that one back (the file "
            "secrets/master.key in the data folder, or YOUWORKER_SECURITY_MASTER_KEYS); without it nothing can be read."
        ) from error
