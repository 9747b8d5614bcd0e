"""Who asks too often is told so in the browser, under the policy that lets no text run, and keeps the question."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.browser import chromium, visit
from tests.e2e.product import Product
from tests.e2e.test_journey import ask, set_up

pytestmark = pytest.mark.timeout(240)


async def test_a_question_too_many_is_told_and_stays_in_the_composer(tmp_path: Path) -> None:
    product = Product(tmp_path / "installation" / "data", settings={"YOUWORKER_LIMIT_CHAT": "1"}).start()
    try:
        async with chromium() as browser:
            visitor = await visit(browser)
            await set_up(visitor, product)
            await ask(visitor, "One question?")
            await expect(visitor.page.locator(".answer .prose")).to_have_count(1)
            await expect(visitor.page.locator(".answer[data-writing]")).to_have_count(0)
            await ask(visitor, "And another one?")
            await expect(visitor.page.get_by_text("Too many requests. Try again in")).to_be_visible()
            await expect(visitor.page.locator("textarea")).to_have_value("And another one?")
            assert visitor.problems == []
    finally:
        product.end()
