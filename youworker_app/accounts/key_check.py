"""At start: is the master key the one that this data was written with? Told then, not at somebody's first read."""

import hashlib
import hmac

from youworker_app.accounts.repository import Entrance
from youworker_app.core.crypto import DecryptionFailed
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.errors import ConfigurationError
from youworker_app.core.keys import DataKeys

_FACT = "master_key_check"
_DERIVED_FACT = "derived_key_check"


async def check_master_key(db: Database, keys: DataKeys) -> None:
    """Remembers the key at the first start. Raises ConfigurationError when it is another one later."""
    async with db.write() as unit:
        entrance = Entrance(unit)
        known, derived = await entrance.fact(_FACT), await entrance.fact(_DERIVED_FACT)
        if known is None:
            await entrance.set_fact(_FACT, keys.new()[1].decode())
        if derived is None:
            await entrance.set_fact(_DERIVED_FACT, _fingerprint(keys))
    if known is not None:
        _require_opens(keys, known)
    if derived is not None and not hmac.compare_digest(derived, _fingerprint(keys)):
        raise ConfigurationError(
            problem="The key on which hashes and seals of this data hang is missing. Put back the file secrets/derivation.key "
            "in the data folder: it was written when the master key was rotated."
        )


async def remember_master_key(unit: UnitOfWork, keys: DataKeys) -> None:
    """From here on a start needs the newest master key."""
    await Entrance(unit).set_fact(_FACT, keys.new()[1].decode())


def _require_opens(keys: DataKeys, known: str) -> None:
    try:
        keys.unwrap(known.encode())
    except DecryptionFailed as error:
        raise ConfigurationError(
            problem="The master key is not the one that this data was written with. Put that one back (the file "
            "secrets/master.key in the data folder, or YOUWORKER_SECURITY_MASTER_KEYS); without it nothing can be read."
        ) from error


def _fingerprint(keys: DataKeys) -> str:
    return hashlib.sha256(keys.derive("derived-key-check")).hexdigest()
