"""Keys in the browser: narrowed to a group, rotated, about to end; and a page whose session is ended elsewhere."""

import re
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.e2e.browser import PHONE, chromium, visit
from tests.e2e.product import Product
from tests.e2e.test_journey import PASSWORD, set_up

pytestmark = pytest.mark.timeout(240)


async def make_key(page: Page, name: str, *boxes: str) -> str:
    """By the form; the key that is shown once."""
    section = page.locator("#keys")
    await section.get_by_label("Name", exact=True).fill(name)
    for box in boxes:
        await section.get_by_label(box, exact=True).check()
    await section.get_by_role("button", name="Create key").click()
    return await shown(page)


async def shown(page: Page) -> str:
    secret = page.locator(".secret-text")
    await expect(secret).to_be_visible()
    key = (await secret.inner_text()).strip()
    await page.get_by_role("button", name="Close").click()
    await expect(secret).to_have_count(0)
    return key


def end_soon(data: Path) -> None:
    """A key that was made long ago."""
    with sqlite3.connect(data / "youworker.db", timeout=10) as database:
        soon = (datetime.now(UTC) + timedelta(days=3)).replace(tzinfo=None).isoformat(sep=" ")
        database.execute("UPDATE api_keys SET expires_at = ?", (soon,))
    database.close()


def ask(product: Product, method: str, key: str, path: str, **more: Any) -> httpx.Response:
    """As a script does."""
    headers = {"authorization": f"Bearer {key}"}
    return httpx.request(method, f"{product.url}/v1{path}", headers=headers, trust_env=False, **more)


async def test_a_key_is_narrowed_rotated_and_warned_of_and_a_session_ends_elsewhere(tmp_path: Path) -> None:
    product = Product(tmp_path / "installation" / "data").start()
    try:
        async with chromium() as browser:
            here = await visit(browser)
            await set_up(here, product)
            page = here.page
            await page.goto(f"{product.url}/account")
            everything = await make_key(
                page, "everything", "See groups", "Change groups", "Read and search documents"
            )
            assert ask(product, "POST", everything, "/groups", json={"name": "Sales"}).status_code == 201
            await page.reload()
            old = await make_key(page, "nightly report", "See groups", "Read and search documents", "Sales")
            row = page.locator("#keys .row", has_text="nightly report")
            await expect(row.locator(".badge", has_text="Sales")).to_be_visible()
            assert [group["name"] for group in ask(product, "GET", old, "/groups/me").json()["items"]] == [
                "Sales"
            ]
            await row.get_by_role("button", name="Rotate").click()
            overlap = page.get_by_label("The old key ends")
            await expect(overlap).to_have_value("24")
            await overlap.select_option("0")
            await page.keyboard.press("Tab")
            await here.picture("keys-rotate", tmp_path)
            assert await here.accessible() == []
            await page.get_by_role("button", name="Rotate key", exact=True).click()
            new = await shown(page)
            assert [ask(product, "GET", each, "/documents").status_code for each in (old, new)] == [401, 200]
            end_soon(product.data)
            assert "x-api-key-expiry-warning" in ask(product, "GET", new, "/documents").headers
            await page.goto(product.url)
            note = page.get_by_role("link", name=re.compile("API keys that end soon: 2"))
            await expect(note).to_be_visible()
            await note.click()
            await expect(page.locator("#keys .notice")).to_contain_text("Keys that end within 7 days: 2")
            await page.locator("#keys").scroll_into_view_if_needed()
            await here.picture("keys-desktop", tmp_path)
            assert await here.accessible() == []

            there = await visit(browser, viewport=PHONE, color_scheme="dark", locale="it-IT")
            cut: list[str] = []
            there.page.on("websocket", lambda socket: socket.on("close", lambda _: cut.append(socket.url)))
            await there.page.goto(f"{product.url}/login?next=/account")
            await there.page.get_by_label("Nome utente").fill("marta")
            await there.page.get_by_label("Password").fill(PASSWORD)
            await there.page.get_by_role("button", name="Accedi").click()
            await there.page.wait_for_url(re.compile(r":\d+/account/?$"))
            await expect(there.page.locator("#keys .notice")).to_be_visible()
            for name, target in (("keys-phone", "#keys"), ("keys-phone-form", "#keys form")):
                await there.page.locator(target).evaluate("each => each.scrollIntoView()")
                await there.picture(name, tmp_path)
            wide = await there.page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert not wide
            assert await there.accessible() == []
            # Without a touch there: its socket is cut, it comes again as nobody, and is led to the sign-in.
            cut.clear()
            await page.goto(f"{product.url}/account")
            await page.get_by_role("button", name="Sign out there").click()
            await there.page.wait_for_url(re.compile(r"/login"))
            assert [urlsplit(url).path for url in cut] == ["/_event/"]
            assert here.problems == []
    finally:
        product.end()
