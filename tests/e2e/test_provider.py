"""Signing in and out in a real browser at a real, certified provider (npm's `oidc-provider`), which also tells us itself."""

import asyncio
import json
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.browser import PHONE, chromium, visit
from tests.e2e.certified import CLIENT, CertifiedProvider, certified_provider
from tests.e2e.product import Product, free_port

pytestmark = pytest.mark.timeout(240)


def set_up(product: Product) -> None:
    """Makes the first account over REST."""
    token = parse_qs(urlsplit(product.setup_link()).query)["token"][0]
    body = {"setup_token": token, "username": "marta", "password": "una lunga parola segreta"}
    request = urllib.request.Request(
        f"{product.url}/v1/setup", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.status == 201


async def sign_in(page: Page, product: Product, name: str, provider: CertifiedProvider) -> None:
    """By the button, then by the name that is typed at the provider."""
    await page.goto(f"{product.url}/login?next=%2Faccount")
    await page.get_by_role("link", name="Sign in with the company").click()
    await expect(page.get_by_label("Name")).to_be_visible()
    assert page.url.startswith(provider.issuer)
    await page.get_by_label("Name").fill(name)
    await page.get_by_role("button", name="Prove it").click()
    await expect(page.get_by_role("heading", name="My account", exact=True)).to_be_visible()
    await expect(page.locator(".facts")).to_contain_text(provider.issuer)


async def test_in_by_the_company_and_out_of_it(tmp_path: Path) -> None:
    product = Product(tmp_path / "installation" / "data", port=free_port())
    with certified_provider(free_port(), product.url, tmp_path) as provider:
        given = {**CLIENT, "ISSUER": provider.issuer, "NAME": "the company", "ROOT_VALUE": "keepers"}
        product.settings = {f"YOUWORKER_OIDC_{name}": value for name, value in given.items()}
        product.start()
        try:
            set_up(product)
            async with chromium() as browser:
                await journey(browser, product, provider, tmp_path)
        finally:
            product.end()


async def journey(browser: Browser, product: Product, provider: CertifiedProvider, folder: Path) -> None:
    visitor, elsewhere = await visit(browser), await visit(browser, viewport=PHONE)
    page = visitor.page
    await page.goto(f"{product.url}/login")
    await expect(page.get_by_role("link", name="Sign in with the company")).to_be_visible()
    await expect(page.get_by_label("Password")).to_be_visible()
    assert await visitor.accessible() == []
    await visitor.picture("login-provider", folder)
    await sign_in(page, product, "keeper", provider)
    # Userinfo told that the person keeps the installation; there is no password to change.
    await expect(page.locator(".facts")).to_contain_text("Administrator")
    await expect(page.get_by_role("heading", name="Password", exact=True)).to_have_count(0)
    await visitor.picture("account-provider", folder)
    await sign_in(elsewhere.page, product, "keeper", provider)
    await elsewhere.picture("account-provider-phone", folder)
    # Out: here, at the provider, and back to the sign-in.
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await page.get_by_role("button", name="End my session").click()
    await expect(page.get_by_role("link", name="Sign in with the company")).to_be_visible()
    assert urlsplit(page.url).path.rstrip("/") == "/login"
    # Who comes again has to prove it again: the session at the provider is over.
    await page.get_by_role("link", name="Sign in with the company").click()
    await expect(page.get_by_label("Name")).to_be_visible()
    async with asyncio.timeout(20):
        while "backchannel.success" not in provider.log:
            await asyncio.sleep(0.05)
    assert "error" not in provider.log
    # The other browser had a session of its own at the provider.
    await elsewhere.page.reload()
    await expect(elsewhere.page.get_by_role("heading", name="My account", exact=True)).to_be_visible()
    assert (visitor.problems, elsewhere.problems) == ([], [])
