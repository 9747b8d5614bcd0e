"""Nobody gets in by an answer that is not for this browser and this sign-in, nor as somebody else, nor to another site."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx

from tests.clock import Clock, clock
from tests.door import CALLBACK, LOGIN, Door, refusal, who
from tests.provider import CLIENT_ID, ISSUER, FakeProvider, new_key, unsigned
from youworker_app.access.actor import Actor
from youworker_app.core.paging import PageRequest

__all__ = ["clock"]

WRONG, STALE, AWAY = "PROVIDER_ANSWER_WRONG", "PROVIDER_SIGN_IN_STALE", "PROVIDER_AWAY"
DISCOVERY = ".well-known/openid-configuration"


async def people(door: Door) -> set[str]:
    house = door.web.house
    assert isinstance(house.root, Actor)
    page = await house.installation.people.list_users(house.root, PageRequest(200, None))
    return {user.username for user in page.items}


async def refused(door: Door, code: str) -> None:
    """One sign-in, which lets nobody in and makes nobody."""
    browser, answer = await door.sign_in()
    assert refusal(answer) == code
    assert await who(browser) is None
    assert await people(door) == {"root"}


# --- answers that belong to somebody else


async def test_a_swapped_code(door: Door) -> None:
    """Somebody's own code in another's browser would sign that one in as them."""
    attacker, victim = await door.web.client(), await door.web.client()
    theirs = door.provider.sign_in(await door.begin(attacker), {"sub": "mallory"})
    own = door.provider.sign_in(await door.begin(victim))
    assert refusal(await door.arrive(victim, {**own, "code": theirs["code"]})) == WRONG
    assert await who(victim) is None


async def test_a_swapped_code_at_a_provider_that_ignores_pkce(door: Door) -> None:
    attacker, victim = await door.web.client(), await door.web.client()
    theirs = door.provider.sign_in(await door.begin(attacker), {"sub": "mallory"})
    own = door.provider.sign_in(await door.begin(victim))
    door.provider.codes[theirs["code"]].challenge = door.provider.codes[own["code"]].challenge
    assert refusal(await door.arrive(victim, {**own, "code": theirs["code"]})) == WRONG
    assert await who(victim) is None


async def test_an_answer_that_this_browser_did_not_ask_for(door: Door) -> None:
    attacker, victim = await door.web.client(), await door.web.client()
    theirs = door.provider.sign_in(await door.begin(attacker), {"sub": "mallory"})
    assert refusal(await door.arrive(victim, theirs)) == STALE
    own = door.provider.sign_in(await door.begin(victim))
    assert refusal(await door.arrive(victim, {**own, "state": theirs["state"]})) == STALE
    assert await who(victim) is None


async def test_a_replayed_state(door: Door) -> None:
    browser = await door.web.client()
    back = door.provider.sign_in(await door.begin(browser))
    cookie = {"cookie": f"youworker_provider={browser.cookies['youworker_provider']}"}
    assert refusal(await door.arrive(browser, back)) == ""
    assert "youworker_provider" not in browser.cookies
    thief = await door.web.client(cookie)
    # A code that works still, so that it is the state that is refused.
    again = door.provider.sign_in(await door.begin(await door.web.client()))
    assert refusal(await door.arrive(thief, {**back, "code": again["code"]})) == STALE
    assert await who(thief) is None


async def test_a_state_is_used_up_by_a_sign_in_that_failed(door: Door) -> None:
    browser = await door.web.client()
    back = door.provider.sign_in(await door.begin(browser))
    cookie = browser.cookies["youworker_provider"]
    assert refusal(await door.arrive(browser, {**back, "code": "guessed"})) == WRONG
    browser.cookies.set("youworker_provider", cookie, domain="127.0.0.1", path="/v1/auth/oidc")
    assert refusal(await door.arrive(browser, back)) == STALE


async def test_a_cookie_that_we_did_not_make(door: Door) -> None:
    for cookie in ("", "x", "%E9", "AAAA", "A" * 5_000, "e30="):
        browser = await door.web.client({"cookie": f"youworker_provider={cookie}"})
        assert refusal(await door.arrive(browser, {"code": "1", "state": "2"})) == STALE, cookie


async def test_a_mixed_up_issuer(door: Door) -> None:
    for told in ({"iss": "https://evil.example.test/"}, {"iss": ""}, {}):
        browser = await door.web.client()
        back = door.provider.sign_in(await door.begin(browser))
        del back["iss"]
        assert refusal(await door.arrive(browser, {**back, **told})) == WRONG
        assert await who(browser) is None


async def test_the_providers_own_words_are_shown_to_nobody(door: Door) -> None:
    for error in ("access_denied", "<script>alert(1)</script>", "x" * 5_000):
        browser = await door.web.client()
        back = door.provider.sign_in(await door.begin(browser))
        answer = await door.arrive(browser, {"state": back["state"], "iss": ISSUER, "error": error})
        assert answer.headers["location"] == "/login?error=PROVIDER_REFUSED"


async def test_a_provider_that_is_away_lets_nobody_in_and_is_asked_again(door: Door) -> None:
    door.provider.answer[DISCOVERY] = lambda request: httpx.Response(503)
    answer = await (await door.web.client()).get(LOGIN)
    assert answer.headers["location"] == f"/login?error={AWAY}"
    assert "youworker_provider" not in answer.headers.get("set-cookie", "")
    del door.provider.answer[DISCOVERY]
    door.provider.answer["token/"] = lambda request: httpx.Response(503)
    await refused(door, AWAY)
    del door.provider.answer["token/"]
    browser, answer = await door.sign_in()
    assert refusal(answer) == ""
    assert await who(browser)


async def test_a_token_for_another_sign_in_makes_nobody(door: Door) -> None:
    """The ways in which a token can be wrong: test_provider_answers.py."""
    door.provider.alter = lambda claims: {**claims, "nonce": "of another sign-in"}
    await refused(door, WRONG)


async def test_an_answer_comes_too_late(door: Door, clock: Clock) -> None:
    browser = await door.web.client()
    back = door.provider.sign_in(await door.begin(browser))
    cookie = browser.cookies["youworker_provider"]
    clock.go_on(timedelta(minutes=10, seconds=1))
    late = await door.web.client({"cookie": f"youworker_provider={cookie}"})
    assert refusal(await door.arrive(late, back)) == STALE


async def test_without_a_provider_there_is_no_such_door(web: Any) -> None:
    await web.house.person("root")
    browser = await web.client()
    for path in (LOGIN, CALLBACK):
        assert (await browser.get(path, params={"code": "1", "state": "2"})).status_code in {303, 404}
    assert (await browser.get(LOGIN)).status_code == 404
    assert await who(browser) is None


# --- as somebody else


async def test_nobody_becomes_a_colleague_by_name_or_address(door: Door) -> None:
    """Whoever may choose their name at the provider could choose anybody's."""
    anna = await door.web.house.person("anna")
    claims = {"preferred_username": "ANNA", "email": "anna@example.test", "email_verified": True}
    browser, answer = await door.sign_in({"sub": "mallory-1", **claims})
    assert refusal(answer) == ""
    seen = await who(browser)
    assert seen is not None
    assert (seen["username"], seen["is_root"]) == ("ANNA-2", False)
    assert seen["id"] != anna.user_id
    again, _ = await door.sign_in({"sub": "mallory-1", "preferred_username": "root"})
    assert (await who(again) or {})["id"] == seen["id"]


async def test_the_same_subject_elsewhere_is_somebody_else(door: Door) -> None:
    first, _ = await door.sign_in()
    door.open(FakeProvider(issuer="https://other.example.test/"))
    second, answer = await door.sign_in()
    assert refusal(answer) == ""
    assert (await who(first) or {})["id"] != (await who(second) or {})["id"]


async def test_subjects_that_look_alike_are_not_the_same(door: Door) -> None:
    found = set()
    for subject in ("anna", "Anna", "anna ", "\uff41nna"):
        browser, _ = await door.sign_in({"sub": subject, "preferred_username": "anna"})
        found.add((await who(browser) or {})["id"])
    assert len(found) == 4


async def test_many_first_sign_ins_at_once_make_one_person(door: Door) -> None:
    done = await asyncio.gather(*(door.sign_in() for _ in range(6)))
    assert {refusal(answer) for _, answer in done} == {""}
    assert len({(await who(browser) or {})["id"] for browser, _ in done}) == 1
    assert await people(door) == {"root", "anna"}


async def test_a_suspended_person_stays_out(door: Door) -> None:
    browser, _ = await door.sign_in()
    user_id, house = (await who(browser) or {})["id"], door.web.house
    assert house.root is not None
    await house.installation.people.set_active(house.root, user_id, is_active=False)
    assert await who(browser) is None
    again, answer = await door.sign_in()
    assert refusal(answer) == "ACCOUNT_SUSPENDED"
    assert await who(again) is None


async def test_who_was_not_invited_stays_out(door: Door) -> None:
    door.open(creates_people=False)
    await refused(door, "PERSON_NOT_INVITED")
    for link in ("", "made-up", "\x7f", "é", "x" * 5_000):
        _, answer = await door.sign_in(invite=link)
        assert refusal(answer) == "PERSON_NOT_INVITED"
    assert await people(door) == {"root"}


async def test_a_link_lets_one_person_in_once(door: Door) -> None:
    house = door.web.house
    anna = await house.person("anna")
    assert house.root is not None
    door.open(creates_people=False)
    made = await house.installation.resets.issue_reset(house.root, anna.user_id)
    browser, answer = await door.sign_in({"sub": "1", "preferred_username": "x"}, invite=made.token)
    assert refusal(answer) == ""
    assert (await who(browser) or {})["id"] == anna.user_id
    _, answer = await door.sign_in({"sub": "2"}, invite=made.token)
    assert refusal(answer) == "PERSON_NOT_INVITED"


async def test_a_session_from_before_is_not_the_one_after(door: Door) -> None:
    """Whoever put a cookie into a browser would share its person's session."""
    browser, _ = await door.sign_in({"sub": "mallory"})
    fixed = browser.cookies["youworker_session"]
    await door.sign_in({"sub": "anna-1"}, browser)
    assert browser.cookies["youworker_session"] != fixed
    thief = await door.web.client({"cookie": f"youworker_session={fixed}"})
    assert (await who(thief) or {})["id"] != (await who(browser) or {})["id"]


# --- to another site


ELSEWHERE = (
    "https://evil.example.test", "//evil.example.test", "/\\evil.example.test", "\\\\evil", "javascript:alert(1)",
    "/\tevil", "/\r\nset-cookie: a=b", " /x", "evil", "http:/evil", "/%0d%0a" + "a" * 1_000,
)  # fmt: skip


async def test_a_sign_in_leads_to_no_other_site(door: Door) -> None:
    for target in ELSEWHERE:
        _, answer = await door.sign_in(next=target)
        assert answer.headers["location"] == "/", target


async def test_a_sign_in_leads_back_to_where_it_began(door: Door) -> None:
    _, answer = await door.sign_in(next="/documents?q=a%20b")
    assert answer.headers["location"] == "/documents?q=a%20b"


# --- the provider's word that somebody signed out


LIES: dict[str, Callable[[FakeProvider], str]] = {
    "signed by another": lambda p: replace(p, key=new_key("first")).logout_token(sub="anna-1"),
    "unsigned": lambda p: unsigned({"alg": "none"}, {"iss": ISSUER, "aud": CLIENT_ID, "sub": "anna-1"}),
    "of another issuer": lambda p: p.logout_token(sub="anna-1", iss="https://evil.example.test/"),
    "for another": lambda p: p.logout_token(sub="anna-1", aud="other"),
    "old": lambda p: p.logout_token(sub="anna-1", iat=int(time.time()) - 3_600),
    "an ID token": lambda p: p.id_token({"sub": "anna-1"}, "nonce", "access"),
    "an ID token with an event": lambda p: p.logout_token(sub="anna-1", nonce="n"),
    "of no event": lambda p: p.logout_token(sub="anna-1", events={}),
    "about nobody": lambda p: p.logout_token(),
    "nothing": lambda p: "",
}  # fmt: skip


async def test_nobody_is_signed_out_by_a_word_that_is_not_the_providers(door: Door) -> None:
    browser, _ = await door.sign_in()
    liar = await door.web.client()
    for name, lie in LIES.items():
        answer = await liar.post("/auth/oidc/sign-out", data={"logout_token": lie(door.provider)})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, WRONG), name
        assert await who(browser) is not None, name
    told = {"logout_token": door.provider.logout_token(sub="anna-1")}
    assert (await liar.post("/auth/oidc/sign-out", data=told)).status_code == 200
    assert await who(browser) is None


async def test_made_up_keys_do_not_make_us_ask_the_provider_each_time(door: Door) -> None:
    await door.sign_in()
    asker = await door.web.client()
    for n in range(5):
        token = unsigned({"alg": "ES256", "kid": f"made-up-{n}"}, {"iss": ISSUER})
        await asker.post("/auth/oidc/sign-out", data={"logout_token": token})
    assert door.provider.asked.count("jwks/") == 1
