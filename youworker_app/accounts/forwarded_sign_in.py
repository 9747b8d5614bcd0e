"""Signing in by the headers of Authentik's forward auth, and the stable API keys that come with them.

Which headers may be believed is the adapter's to say (api/forwarded.py): what comes here is taken for true.
"""

from functools import partial
from typing import Final

from youworker_app.access.authenticate import actor_for_user
from youworker_app.access.forwarded import Forwarded
from youworker_app.accounts.admission import Admission, DoorRules, Proved
from youworker_app.accounts.errors import ForwardedKeyUnusable, SetupFirst
from youworker_app.accounts.identity_repository import Doorway, IdentityRepository
from youworker_app.accounts.key_repository import ApiKeyRepository
from youworker_app.accounts.schemas import Client, SignedIn
from youworker_app.accounts.service import AccountService
from youworker_app.audit.service import AuditService
from youworker_app.core.db import Database, UnitOfWork
from youworker_app.core.endings import Endings
from youworker_app.core.errors import Unauthenticated
from youworker_app.core.ids import token_hash
from youworker_app.core.settings import ForwardAuthSettings

# A key that never ends and whose hash is kept has to be beyond guessing.
SHORTEST_KEY: Final = 32
LONGEST_KEY: Final = 256
_SHOWN: Final = 6
_ACTIONS: Final = {"created": "key.created", "changed": "key.followed", "deleted": "key.deleted"}


class ForwardedSignIn:
    """The door of a proxy that has asked Authentik."""

    def __init__(
        self,
        db: Database,
        settings: ForwardAuthSettings,
        audit: AuditService,
        accounts: AccountService,
        admission: Admission,
        endings: Endings,
    ) -> None:
        self._db, self._settings, self._audit = db, settings, audit
        self._accounts, self._admission, self._endings = accounts, admission, endings
        self._rules = DoorRules(
            "preferred_username", "groups", settings.root_group, creates_people=settings.creates_people
        )

    async def sign_in(self, who: Forwarded, client: Client) -> SignedIn:
        """A session for the person; their key here becomes the one that came with them, or none.

        Raises SetupFirst, PersonNotInvited, AccountSuspended.
        """
        if await self._accounts.needs_setup():
            raise SetupFirst

        async def step(unit: UnitOfWork) -> SignedIn:
            known = await self._admission.recognise(unit, self._proved(who), self._rules)
            actor = await actor_for_user(unit, known.user_id)
            signed_in = await self._accounts.open_session(unit, actor, client, provider=self._settings.issuer)
            IdentityRepository(unit, actor).add_login(signed_in.session_id, known.id, "", b"")
            await self._follow(unit, known.user_id, who.key)
            return signed_in

        return await self._admission.repeatedly(step)

    async def accept_key(self, who: Forwarded) -> None:
        """Makes the key that came with a request this person's, where it is not yet; one before it ends.

        Raises ForwardedKeyUnusable, PersonNotInvited, AccountSuspended, SetupFirst, and Unauthenticated for another's key.
        """
        if not _is_usable(who.key):
            raise ForwardedKeyUnusable(min_length=SHORTEST_KEY)
        proved, hashed = self._proved(who), token_hash(who.key)
        async with self._db.read() as unit:
            known = await Doorway(unit).find_identity(proved.issuer, proved.subject)
            owner = await Doorway(unit).key_owner(hashed)
        if owner is not None and (known is None or owner != known.user_id):
            raise Unauthenticated
        if owner is not None:
            return
        if await self._accounts.needs_setup():
            raise SetupFirst

        async def step(unit: UnitOfWork) -> None:
            found = await self._admission.recognise(unit, proved, self._rules)
            await self._follow(unit, found.user_id, who.key)

        await self._admission.repeatedly(step)

    async def _follow(self, unit: UnitOfWork, user_id: str, key: str) -> None:
        """The person's key from Authentik is this one from now on; without one there is none."""
        hashed = token_hash(key) if _is_usable(key) else ""
        if hashed and await Doorway(unit).key_owner(hashed) not in {None, user_id}:
            hashed = ""  # somebody else's opens nothing here
        actor = await actor_for_user(unit, user_id)
        repository = ApiKeyRepository(unit, actor)
        change = await repository.follow_foreign_key(hashed, key[:_SHOWN], self._settings.key_scopes)
        if change is None:
            return
        key_id, action = change[0], _ACTIONS[change[1]]
        details = {"provider": self._settings.issuer}
        await self._audit.record(
            unit, actor, action, resource_type="key", resource_id=key_id, details=details
        )
        unit.after_commit(partial(self._endings.end, key_id))

    def _proved(self, who: Forwarded) -> Proved:
        claims = {
            "preferred_username": who.username,
            "name": who.name,
            "email": who.email,
            "groups": list(who.groups),
        }
        return Proved(self._settings.issuer, who.uid, claims)


def _is_usable(key: str) -> bool:
    return SHORTEST_KEY <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable() and " " not in key
