"""People's accounts in a real browser: a person comes by a one-time link, and root's word counts at once in what they have open.

One server and one browser; the steps build on one another.
"""

import asyncio
import csv
import io
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.e2e.browser import PHONE, Visitor, chromium, visit
from tests.e2e.product import Product
from tests.e2e.test_journey import set_up

expect.set_options(timeout=15_000)
pytestmark = pytest.mark.timeout(180)

FIRST, SECOND = "prima frase segreta", "seconda frase segreta"
FORMULA = "=HYPERLINK(1)"


async def test_people_come_change_and_go(tmp_path: Path) -> None:
    product = Product(tmp_path / "installation" / "data").start()
    try:
        async with chromium() as browser:
            root = await visit(browser)
            await set_up(root, product)
            bruno = await newcomer(browser, root, product)
            await changes_password(bruno, product)
            await signs_out_there(browser, bruno, product)
            await is_demoted_and_suspended(root, bruno, product)
            await is_audited(root, product, tmp_path)
            await fits_a_phone(browser, root, product, tmp_path)
            for visitor in (root, bruno):
                assert [each for each in visitor.problems if "WebSocket" not in each] == []
    finally:
        product.end()


async def newcomer(browser: Browser, root: Visitor, product: Product) -> Visitor:
    """Root adds a person; the link lets them choose a password, once, and they sign in."""
    page = root.page
    await page.goto(f"{product.url}/users")
    # By keyboard alone: the field, the box, the button.
    await page.get_by_label("User name").focus()
    await page.keyboard.type("bruno")
    for key in ("Tab", "Space", "Tab", "Enter"):
        await page.keyboard.press(key)
    link = await page.locator(".secret-text").inner_text()
    assert await root.accessible() == []
    await page.keyboard.press("Escape")
    await expect(page.locator(".secret-text")).to_have_count(0)
    await expect(page.locator("li.row", has_text="bruno")).to_contain_text("Administrator")

    bruno = await visit(browser)
    # Who is faster than the form's token is not kept waiting without a word: the form goes when it comes.
    await bruno.page.route("**/auth/form/token", slowly)
    await choose(bruno.page, link, FIRST)
    await expect(bruno.page.get_by_text("Your password is set.")).to_be_visible()
    await sign_in(bruno.page, FIRST)
    again = await visit(browser)
    await choose(again.page, link, SECOND)
    await expect(again.page.get_by_role("alert")).to_contain_text("This link is not valid any more.")
    assert await again.accessible() == []
    await again.context.close()
    return bruno


async def slowly(route: Route) -> None:
    await asyncio.sleep(0.5)
    await route.continue_()


async def choose(page: Page, link: str, password: str) -> None:
    await page.goto(link)
    await page.get_by_label("New password").fill(password)
    await page.get_by_role("button", name="Set the password").click()


async def sign_in(page: Page, password: str, name: str = "bruno") -> None:
    await page.get_by_label("User name").fill(name)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name=f"What would you like to know, {name}?")).to_be_visible()


async def changes_password(bruno: Visitor, product: Product) -> None:
    page = bruno.page
    await page.goto(f"{product.url}/account")
    await page.get_by_label("Present password").fill(FIRST)
    await page.get_by_label("New password").fill(SECOND)
    await page.get_by_role("button", name="Change password").click()
    await expect(page.get_by_text("Your password was changed.")).to_be_visible()
    assert await bruno.accessible() == []


async def signs_out_there(browser: Browser, bruno: Visitor, product: Product) -> None:
    """The other browser's open page is at the sign-in at once, without a click there."""
    other = await visit(browser)
    await other.page.goto(f"{product.url}/login")
    await sign_in(other.page, SECOND)
    await bruno.page.reload()
    await bruno.page.get_by_role("button", name="Sign out there").click()
    await expect(other.page).to_have_url(re.compile("/login"), timeout=5_000)
    await other.context.close()


async def is_demoted_and_suspended(root: Visitor, bruno: Visitor, product: Product) -> None:
    """Both show in the page that bruno has open, without a click there."""
    await bruno.page.goto(f"{product.url}/users")
    await expect(bruno.page.locator("li.row", has_text="marta")).to_be_visible()
    await act(root.page, "End being an administrator")
    await expect(bruno.page.get_by_text("This page is for administrators.")).to_be_visible(timeout=5_000)
    await expect(bruno.page.locator("li.row")).to_have_count(0)
    await act(root.page, "Suspend")
    await expect(bruno.page).to_have_url(re.compile("/login"), timeout=5_000)
    await expect(root.page.locator("li.row", has_text="bruno")).to_contain_text("Suspended")


async def act(page: Page, what: str) -> None:
    await page.get_by_role("button", name="Actions for “bruno”").click()
    await page.get_by_role("menuitem", name=what).click()


async def is_audited(root: Visitor, product: Product, folder: Path) -> None:
    """Filters, a file that no spreadsheet takes for formulas, and a word on whether the trail is whole."""
    page = root.page
    await page.get_by_label("User name").fill(FORMULA)
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.locator(".secret-text")).to_be_visible()
    await page.goto(f"{product.url}/audit")
    events = page.get_by_role("list", name="Events").get_by_role("listitem")
    await expect(events.filter(has_text="Password chosen by a one-time link")).to_have_count(1)
    await page.get_by_label("What").select_option("user")
    await page.get_by_label("Person").fill("marta")
    await page.keyboard.press("Enter")
    await expect(events.filter(has_text="One-time link")).to_have_count(0)
    said = await events.locator(".trail-what").all_inner_texts()
    assert said[:4] == ["Person added", "Person suspended", "No longer an administrator", "Person added"]
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Download CSV").click()
    lines = list(csv.reader(io.StringIO(Path(await (await download.value).path()).read_text())))
    assert {line[5].partition(".")[0] for line in lines[1:]} == {"user"}
    assert f"'{FORMULA}" in {cell for line in lines for cell in line}
    await page.get_by_role("button", name="Verify").click()
    await expect(page.get_by_text("Everything is as it was written:")).to_be_visible()
    assert await root.accessible() == []
    await root.picture("audit-desktop-light", folder)


async def fits_a_phone(browser: Browser, root: Visitor, product: Product, folder: Path) -> None:
    """In Italian and dark: nothing has to be moved sideways, and nothing is out of reach of a reader of screens."""
    phone = await visit(browser, locale="it-IT", viewport=PHONE, color_scheme="dark", has_touch=True)
    await phone.context.add_cookies(await root.context.cookies())  # type: ignore[arg-type]  # what it gave is what it takes
    for path, heading in (
        ("users", "Persone"),
        ("account", "Il mio account"),
        ("audit", "Registro di controllo"),
    ):
        await phone.page.goto(f"{product.url}/{path}")
        await expect(phone.page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        await expect(phone.page.locator(".skeleton")).to_have_count(0)
        assert await phone.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        inner = "[...document.querySelectorAll('.settings, .documents')].every(e => e.scrollWidth <= e.clientWidth)"
        assert await phone.page.evaluate(inner), path
        assert await phone.accessible() == [], path
        await phone.picture(f"{path}-phone-dark", folder)
    assert phone.problems == []
    await phone.context.close()
