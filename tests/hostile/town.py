"""A lived-in installation for requests made from the OpenAPI document: real ids to ask for, and new ones when they are gone."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from tests.files import pdf_of
from tests.house import PASSWORD
from tests.web import Web
from youworker_app.access.actor import Actor, Scope
from youworker_app.accounts.schemas import Carrier, Client, CreateApiKey, CreateUser, Credential
from youworker_app.api.cookies import SESSION_COOKIE

NAME: Final = "mara"
_WORDS: Final = ["The tower clock was repaired in May.", "It strikes every quarter of an hour."]


@dataclass
class Town:
    """One root person with documents, a group, a colleague, a conversation and keys. `ids` are what there is, by name."""

    web: Web
    actor: Actor
    cookie: str = ""
    csrf: str = ""
    key: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def credentials(self, *, by_cookie: bool) -> dict[str, str]:
        """The headers of a signed-in browser, or of a script with a key of the same person."""
        if by_cookie:
            return {"Cookie": f"{SESSION_COOKIE}={self.cookie}", "X-CSRF-Token": self.csrf}
        return {"Authorization": f"Bearer {self.key}"}

    def values(self, operation: str) -> dict[str, Any]:
        """What a well-informed client would put into the fields of this operation."""
        known = {
            "username": NAME,
            "password": PASSWORD,
            "present_password": PASSWORD,
            "new_password": PASSWORD,
            "name": f"a name {next(self._numbers)}",
            "description": "what it is for",
            "scopes": ["chat:read"],
            "expires_in_days": 1,
            "role": "member",
            "title": "a title",
            "query": "tower clock",
            "message": "When was the clock repaired?",
            "model": None,
            "limit": 5,
            "tags": ["clocks"],
            **{name: self.ids[name] for name in ("group_id", "session_id")},
            **{f"{name}s": [self.ids[name]] for name in ("group_id", "document_id")},
        }
        if operation == "POST /v1/users":
            known["username"] = f"colleague{next(self._numbers)}"
        if operation == "POST /v1/auth/reset":
            known["token"] = self.ids["reset_token"]
        if operation == "POST /v1/groups/{group_id}/members":
            known["username"] = self.ids["username"]
        return known

    async def settle(self) -> None:
        """Makes everything that there is an id for."""
        await self.sign_in()
        await self.found_group()
        await self.add_member()
        await self.add_newcomer()
        await self.upload("clock.pdf", pdf_of(_WORDS))
        await self.ask()
        await self.add_key()
        await self.add_login()
        await self.add_reset()
        await self.add_receipt()
        await self.add_export()

    async def restore(self, operation: str) -> None:
        """Makes anew what `operation` (`DELETE /v1/…`) may have taken away when it went well."""
        for what in _TAKEN.get(operation, ()):
            await getattr(self, what)()

    async def sign_in(self) -> None:
        signed = await self.web.house.installation.accounts.sign_in(NAME, PASSWORD, Client())
        self.cookie, self.csrf = signed.token, signed.csrf_token
        await self._look_again()
        if not self.key:
            made = await self.web.house.installation.api_keys.create_key(
                self.actor, CreateApiKey("all", tuple(map(str, Scope)))
            )
            self.key = made.key

    async def add_newcomer(self) -> None:
        """Somebody who is in no group yet."""
        self.ids["username"] = f"newcomer{next(self._numbers)}"
        await self.web.house.installation.people.create_user(
            self.actor, CreateUser(self.ids["username"], PASSWORD)
        )

    async def found_group(self) -> None:
        self.ids["group_id"] = await self.web.house.team(self.actor, f"Clockmakers {next(self._numbers)}")
        await self._look_again()

    async def add_member(self) -> None:
        """A colleague in the group."""
        made = await self.web.house.installation.people.create_user(
            self.actor, CreateUser(f"member{next(self._numbers)}", PASSWORD)
        )
        self.ids["user_id"] = made.id
        groups = self.web.house.installation.groups
        await groups.add_member(self.actor, self.ids["group_id"], made.username, "member")

    async def upload(self, filename: str = "clock.txt", data: bytes = b"") -> None:
        data = data or f"{_WORDS[0]} {next(self._numbers)}".encode()
        taken = await self.web.house.upload(self.actor, data, filename, group_id=self.ids["group_id"])
        self.ids["document_id"] = taken.document_id or ""
        await self.look_at_document()

    async def look_at_document(self) -> None:
        """Its file is another one once it has left its group: content is copied under a key of its own."""
        document = await self.web.house.documents.get_document(self.actor, self.ids["document_id"])
        self.ids |= {"file_id": document.file_id, "job_id": document.job_id}

    async def ask(self) -> None:
        script = await self.web.client(self.credentials(by_cookie=False))
        answer = await script.post("/v1/chat", json={"message": "When was the clock repaired?"})
        self.ids |= {name: answer.raise_for_status().json()[name] for name in ("run_id", "session_id")}

    async def add_key(self) -> None:
        made = await self.web.house.installation.api_keys.create_key(
            self.actor, CreateApiKey("one more", ("chat:read",))
        )
        self.ids["key_id"] = made.view.id

    async def add_login(self) -> None:
        """One more browser that the person is signed in with."""
        signed = await self._accounts.sign_in(NAME, PASSWORD, Client())
        actor = await self._accounts.authenticate(Credential(Carrier.COOKIE, signed.token))
        self.ids["login_id"] = actor.credential_id

    async def add_receipt(self) -> None:
        """Somebody who was here, and the receipt of what was destroyed."""
        people = self.web.house.installation.people
        made = await people.create_user(self.actor, CreateUser(f"passer{next(self._numbers)}", PASSWORD))
        self.ids["receipt_token"] = (await people.remove_user(self.actor, made.id)).token

    async def add_export(self) -> None:
        """All that the person owns, ready to be fetched."""
        await self.web.house.installation.privacy.exports.start(self.actor)
        await self.web.ready()

    async def add_reset(self) -> None:
        """A link by which a colleague chooses a new password."""
        made = await self.web.house.installation.resets.issue_reset(self.actor, self.ids["user_id"])
        self.ids["reset_token"] = made.token

    @property
    def _accounts(self) -> Any:
        return self.web.house.installation.accounts

    async def _look_again(self) -> None:
        self.actor = await self._accounts.authenticate(Credential(Carrier.COOKIE, self.cookie))


_TAKEN: Final = {
    "POST /v1/auth/logout": ("sign_in",),
    "DELETE /v1/account/api-keys/{key_id}": ("add_key",),
    # Asked with the key, these end the browser's own session too.
    "POST /v1/account/password": ("sign_in", "add_login"),
    "DELETE /v1/account/sessions": ("sign_in", "add_login"),
    "DELETE /v1/account/sessions/{login_id}": ("add_login",),
    "POST /v1/auth/reset": ("add_reset",),
    "POST /v1/users/{user_id}/reset": ("add_reset",),
    "PATCH /v1/users/{user_id}": ("add_member", "add_reset"),
    "DELETE /v1/users/{user_id}": ("add_member", "add_reset"),
    "DELETE /v1/groups/{group_id}": ("found_group", "add_member", "look_at_document"),
    "POST /v1/groups/{group_id}/members": ("add_newcomer",),
    "DELETE /v1/groups/{group_id}/members/{user_id}": ("add_member",),
    "DELETE /v1/documents/{document_id}": ("upload",),
    "DELETE /v1/sessions/{session_id}": ("ask",),
    "DELETE /v1/account/history": ("ask",),
    "DELETE /v1/account/export": ("add_export",),
}


async def settled(web: Web) -> Town:
    """A town in `web`, the first person of which is root."""
    signed = await web.house.installation.accounts.set_up(
        web.house.setup_token or "", NAME, PASSWORD, Client()
    )
    actor = await web.house.installation.accounts.authenticate(Credential(Carrier.COOKIE, signed.token))
    town = Town(web, actor)
    await town.settle()
    return town
