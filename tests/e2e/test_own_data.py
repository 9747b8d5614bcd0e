"""One's own data in a real browser: taken along, cleared, and the end of an account with its receipt.

One server and one browser; the steps build on one another.
"""

import json
import zipfile
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.browser import PHONE, Visitor, chromium, visit
from tests.e2e.product import Product
from tests.e2e.test_journey import set_up
from tests.house import PASSWORD

expect.set_options(timeout=15_000)
pytestmark = pytest.mark.timeout(180)


async def test_ones_own_data(tmp_path: Path) -> None:
    product = Product(tmp_path / "installation" / "data").start()
    try:
        async with chromium() as browser:
            root = await visit(browser)
            await set_up(root, product)
            anna = await comes(browser, root, product)
            await takes_it_along(anna, product, tmp_path)
            await is_held(root, anna, product, tmp_path)
            await clears(anna, product)
            await goes(anna, product, tmp_path)
            for visitor in (root, anna):
                assert [each for each in visitor.problems if "WebSocket" not in each] == []
    finally:
        product.end()


async def comes(browser: Browser, root: Visitor, product: Product) -> Visitor:
    """A colleague, who is on a phone and has asked something."""
    token = (await (await root.context.request.get(f"{product.url}/v1/auth/me")).json())["csrf_token"]
    made = await root.context.request.post(
        f"{product.url}/v1/users",
        data={"username": "anna", "password": PASSWORD},
        headers={"x-csrf-token": token},
    )
    assert made.status == 201
    anna = await visit(browser, viewport=PHONE, accept_downloads=True)
    await anna.page.goto(f"{product.url}/login")
    await anna.page.get_by_label("User name").fill("anna")
    await anna.page.get_by_label("Password").fill(PASSWORD)
    await anna.page.get_by_label("Password").press("Enter")
    await expect(anna.page.get_by_role("textbox").first).to_be_visible()
    me = await (await anna.context.request.get(f"{product.url}/v1/auth/me")).json()
    headers = {"x-csrf-token": me["csrf_token"]}
    asked = await anna.context.request.post(
        f"{product.url}/v1/chat", data={"message": "Where is the boiler?"}, headers=headers
    )
    assert asked.ok
    return anna


async def takes_it_along(anna: Visitor, product: Product, folder: Path) -> None:
    """The page follows the job by itself; what comes is whole."""
    page = anna.page
    await page.goto(f"{product.url}/account")
    await page.get_by_role("button", name="Make an export").click()
    await expect(page.get_by_text("Your export is ready")).to_be_visible()
    assert await anna.accessible() == []
    await page.locator("#data").scroll_into_view_if_needed()
    await anna.picture("data", folder)
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="Fetch the zip").click()
    await (await waiting.value).save_as(folder / "export.zip")
    with zipfile.ZipFile(folder / "export.zip") as zipped:
        assert zipped.testzip() is None
        [chat] = [name for name in zipped.namelist() if name.startswith("conversations/")]
        assert "Where is the boiler?" in zipped.read(chat).decode()
        assert json.loads(zipped.read("profile.json"))["username"] == "anna"
    await page.get_by_role("button", name="Delete it").click()
    await expect(page.get_by_role("button", name="Make an export")).to_be_visible()


async def is_held(root: Visitor, anna: Visitor, product: Product, folder: Path) -> None:
    """Root puts her on hold: nothing is cleared, and she reads why."""
    await root.page.goto(f"{product.url}/users")
    row = root.page.locator("li.row", has_text="anna")
    await row.get_by_role("button", name="Actions for").click()
    await root.page.get_by_role("menuitem", name="Put on hold").click()
    await expect(row).to_contain_text("On hold")
    await root.picture("held", folder)
    await anna.page.get_by_role("button", name="Clear my conversations").click()
    await anna.page.get_by_role("button", name="Clear all").click()
    await expect(anna.page.get_by_text("has put this account on hold")).to_be_visible()
    await row.get_by_role("button", name="Actions for").click()
    await root.page.get_by_role("menuitem", name="End the hold").click()
    await expect(row).not_to_contain_text("On hold")


async def clears(anna: Visitor, product: Product) -> None:
    """By keyboard alone."""
    page = anna.page
    await page.get_by_role("button", name="Clear my conversations").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Conversations deleted: 1.")).to_be_visible()
    assert (await (await anna.context.request.get(f"{product.url}/v1/sessions")).json())["items"] == []


async def goes(anna: Visitor, product: Product, folder: Path) -> None:
    """Another's name and a wrong password change nothing; then she is gone, and keeps her receipt."""
    page = anna.page
    for name, password, told in (
        ("bruno", PASSWORD, "This is not your user name"),
        ("anna", "nonsense", "The present password is wrong"),
    ):
        await erase(anna, name, password)
        await expect(page.get_by_role("alert")).to_contain_text(told)
        await expect(page.get_by_label("Type your user name")).to_be_focused()
        assert "error=" in page.url
    await anna.picture("erase", folder)
    assert await anna.accessible() == []
    await erase(anna, "anna", PASSWORD)
    await expect(page.get_by_role("heading", name="You are erased")).to_be_visible()
    await anna.picture("erased", folder)
    assert await anna.accessible() == []
    overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="Save as text").click()
    text = (await (await waiting.value).path()).read_text()
    assert "account: users: 1" in text
    assert "anna" not in text
    await page.goto(f"{product.url}/account")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def erase(anna: Visitor, name: str, password: str) -> None:
    page = anna.page
    if not await page.get_by_label("Your password").is_visible():
        await page.get_by_text("Erase my account…").click()
    await page.get_by_label("Type your user name").fill(name)
    await page.get_by_label("Your password").fill(password)
    await page.get_by_role("button", name="Erase everything for good").click()
