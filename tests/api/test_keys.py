"""API keys over REST: made, narrowed, rotated; and a key that ends soon is told so in every answer."""

from datetime import UTC, datetime, timedelta

from tests.api.rest import Rest, error_of
from tests.web import Web
from youworker_app.accounts.schemas import CreateApiKey

HEADER = "X-API-Key-Expiry-Warning"
KEYS = "/v1/account/api-keys"


async def test_a_key_is_narrowed_and_rotated_over_http(rest: Rest) -> None:
    browser = await rest.browser()
    group = (await browser.post("/v1/groups", json={"name": "Sales"})).json()["id"]
    await browser.post("/v1/groups", json={"name": "Law"})
    wanted = {"name": "report", "scopes": ["groups:read"], "group_ids": [group]}
    made = (await browser.post(KEYS, json=wanted)).json()
    assert (made["group_ids"], made["scopes"]) == ([group], ["groups:read"])
    old = rest.client(authorization=f"Bearer {made['key']}")
    assert [each["id"] for each in (await old.get("/v1/groups/me")).json()["items"]] == [group]
    for body, code in (
        ({**wanted, "group_ids": []}, "KEY_GROUPS_NOT_USABLE"),
        ({**wanted, "group_ids": ["none"]}, "KEY_GROUPS_NOT_USABLE"),
        ({**wanted, "scopes": ["admin"]}, "KEY_TOO_BROAD"),
    ):
        assert error_of(await browser.post(KEYS, json=body)) == (422, code)
    rotate = f"{KEYS}/{made['id']}/rotate"
    assert error_of(await browser.post(rotate, json={"overlap_hours": 169})) == (422, "OVERLAP_NOT_USABLE")
    turned = await browser.post(rotate)  # without a body: a day
    assert turned.status_code == 201
    assert turned.json().keys() == made.keys()
    assert error_of(await browser.post(rotate, json={})) == (409, "KEY_REPLACED")
    stranger = await rest.colleague("bruno")
    assert error_of(await stranger.post(rotate)) == (404, "NOT_FOUND")
    new = rest.client(**{"x-api-key": turned.json()["key"]})
    assert [(await each.get("/v1/groups/me")).status_code for each in (old, new)] == [200, 200]
    listed = {each["id"]: each for each in (await browser.get(KEYS)).json()["items"]}
    assert listed[made["id"]]["is_replaced"]
    ends = datetime.fromisoformat(listed[made["id"]]["expires_at"])
    assert timedelta(hours=23) < ends - datetime.now(UTC) <= timedelta(hours=24)
    assert listed[made["id"]]["last_used_from"] == "127.0.0.1"
    assert turned.json()["key"] not in str(listed)


async def test_a_key_that_ends_soon_is_told_in_every_answer(web: Web) -> None:
    anna = await web.house.person("anna")
    keys = web.house.installation.api_keys
    soon = await keys.create_key(anna, CreateApiKey("soon", ("documents:read", "chat:read", "chat:write"), 7))
    late = await keys.create_key(anna, CreateApiKey("late", ("documents:read",), 8))
    told = await web.client({"x-api-key": soon.key})
    asked = (
        await told.get("/v1/documents"),
        await told.get("/v1/documents/none"),
        await told.get("/v1/groups/me"),
        await told.post("/v1/search", json={"query": 7}),
        await told.post("/v1/chat", json={"message": ""}),
        await told.post("/v1/chat", json={"message": "When?", "stream": True}),
    )
    assert [each.status_code for each in asked] == [200, 404, 403, 422, 422, 200]
    ends = {datetime.fromisoformat(each.headers[HEADER]) for each in asked}
    assert ends == {soon.view.expires_at.replace(microsecond=0)}
    assert HEADER not in (await (await web.client({"x-api-key": late.key})).get("/v1/documents")).headers
    assert HEADER not in (await (await web.client({"x-api-key": "none"})).get("/v1/documents")).headers
