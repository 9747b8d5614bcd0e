"""What a key or a session is worth is the same by whichever way it comes, and nothing once its person has to go."""

from collections.abc import Mapping

import httpx
import pytest

from tests.house import PASSWORD
from tests.states.conftest import cookie_of, sign_in, tabs
from tests.states.tab import OpenTab
from tests.web import Web
from youworker_app.access.actor import Actor
from youworker_app.accounts.schemas import Client, CreateApiKey
from youworker_app.accounts.ui.account_state import DevicesState
from youworker_app.accounts.ui.keys_state import KeysState
from youworker_app.accounts.ui.state import AccountState
from youworker_app.api.cookies import SESSION_COOKIE
from youworker_app.chat.ui.state import ChatState
from youworker_app.core.errors import Unauthenticated
from youworker_app.core.paging import PageRequest
from youworker_app.documents.ui.state import DocumentsState

__all__ = ["sign_in", "tabs"]

READER = ("documents:read", "chat:read", "groups:read")
# Each route with a body that its scope would take.
WRITES: Mapping[str, Mapping[str, object]] = {
    "POST /v1/groups": {"name": "Mine"},
    "POST /v1/chat": {"message": "Who pays?"},
    "PATCH /v1/account": {"theme": "dark"},
    "POST /v1/account/api-keys": {"name": "more", "scopes": ["admin"]},
    "POST /v1/account/password": {"present_password": PASSWORD, "new_password": "another long phrase"},
    "DELETE /v1/account/sessions": {},
    "PATCH /v1/documents/1": {"title": "x"},
    "POST /v1/users": {"username": "mallory", "password": "a long pass phrase"},
}


async def key_of(web: Web, actor: Actor, *scopes: str) -> str:
    return (await web.house.installation.api_keys.create_key(actor, CreateApiKey("k", scopes))).key


async def write(client: httpx.AsyncClient, entry: str) -> tuple[int, str]:
    method, path = entry.split()
    answer = await client.request(method, path, json=WRITES[entry])
    return answer.status_code, answer.json()["error"]["code"] if answer.status_code >= 400 else ""


@pytest.mark.parametrize("carrier", ["authorization", "x-api-key"])
async def test_a_key_used_by_another_carrier_to_dodge_its_scope(web: Web, carrier: str) -> None:
    """Root's own key for reading, by each header that takes one: nothing but reading."""
    root = await web.house.person("root")
    key = await key_of(web, root, *READER)
    client = await web.client({carrier: f"Bearer {key}" if carrier == "authorization" else key})
    assert (await client.get("/v1/documents")).status_code == 200
    assert (await client.get("/v1/auth/me")).json()["csrf_token"] is None
    for entry in WRITES:
        assert await write(client, entry) == (403, "SCOPE_MISSING"), entry


async def test_a_key_where_no_key_belongs_opens_nothing(web: Web) -> None:
    """As the session's cookie, in the address, under another scheme; and a session where a key belongs."""
    anna = await web.house.person("anna")
    key = await key_of(web, anna, "admin", *READER)
    signed = await web.house.installation.accounts.sign_in("anna", PASSWORD, Client())
    for headers, query in (
        ({"cookie": f"{SESSION_COOKIE}={key}"}, ""),
        ({"cookie": f"{SESSION_COOKIE}={key}", "x-csrf-token": signed.csrf_token}, ""),
        ({"cookie": f"api_key={key}; authorization=Bearer {key}"}, ""),
        ({"authorization": f"Basic {key}"}, ""),
        ({"authorization": f"Bearer {signed.token}"}, ""),
        ({"x-api-key": signed.token}, ""),
        ({}, f"?api_key={key}&access_token={key}&x-api-key={key}"),
    ):
        client = await web.client(headers)
        answer = await client.get(f"/v1/documents{query}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHENTICATED"), headers
        assert (await write(client, "POST /v1/groups"))[0] == 401


async def test_two_credentials_at_once_are_not_chosen_from(web: Web) -> None:
    """A weak one shows the way in and a strong one the right: there is no such guess."""
    anna = await web.house.person("anna")
    weak, strong = await key_of(web, anna, *READER), await key_of(web, anna, "groups:write")
    cookie = await cookie_of(web.house, "anna")
    for headers in (
        [("authorization", f"Bearer {weak}"), ("x-api-key", strong)],
        [("authorization", f"Bearer {weak}"), ("authorization", f"Bearer {strong}")],
        [("x-api-key", weak), ("x-api-key", strong)],
        [("x-api-key", weak), ("cookie", cookie)],
    ):
        client = await web.client()
        answer = await client.post("/v1/groups", json={"name": "Mine"}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "MALFORMED"), headers


async def test_a_suspended_users_second_key(web: Web) -> None:
    """All of them, and every session, until the person is restored: then as before."""
    root = await web.house.person("root")
    anna = await web.person("anna")
    second = await web.keyed(anna.actor, READER)
    cookie = await web.client({"cookie": await cookie_of(web.house, "anna")})
    clients = (anna.http, second.http, cookie)
    for is_active, status in ((False, 401), (True, 200)):
        await web.house.installation.people.set_active(root, anna.actor.user_id, is_active=is_active)
        assert [(await each.get("/v1/documents")).status_code for each in clients] == [status] * 3


@pytest.mark.parametrize("place", ["the session's cookie", "a header of the handshake"])
async def test_read_only_scope_writing_over_websocket(web: Web, tabs: OpenTab, place: str) -> None:
    """Pages know sessions alone: a key in the socket's handshake is nobody, and writes nothing."""
    anna = await web.house.person("anna")
    key = await key_of(web, anna, *READER)
    headers = {"authorization": f"Bearer {key}", "x-api-key": key}
    tab = tabs(cookie=f"{SESSION_COOKIE}={key}", headers={}) if place[4] == "s" else tabs(headers=headers)
    for handler, payload in (
        (AccountState.choose, {"choice": "theme:dark"}),
        (KeysState.create, {"form": {"key_name": "more", "days": "1", "admin": "on"}}),
        (DevicesState.sign_out_others, {}),
        (ChatState.ask, {"question": "Who pays?"}),
        (DocumentsState.delete, {}),
    ):
        tab.failures.clear()
        await tab.do(handler, **payload)
        assert [type(each) for each in tab.failures] == [Unauthenticated], handler
    assert (await web.house.installation.accounts.me(anna)).theme == "system"
    assert len(await web.house.installation.api_keys.list_keys(anna)) == 1
    assert (await web.house.conversations.list_sessions(anna, None, PageRequest())).items == ()
