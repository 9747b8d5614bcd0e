"""An answer that breaks off on the page: what was written stays, and what can be done with it stands in one line, alike."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.browser import chromium, visit
from tests.e2e.product import Product
from tests.e2e.test_journey import ask, set_up
from tests.fake_ollama import fake_ollama

pytestmark = pytest.mark.timeout(120)

LOOK = "b => { const s = getComputedStyle(b); return [s.color, s.font, s.padding, s.textDecorationLine] }"


async def test_copying_and_asking_again_are_one_line_and_one_look(tmp_path: Path) -> None:
    with fake_ollama(answer="The first words. " * 20, break_after=20) as fake:
        product = Product(tmp_path / "installation" / "data", ollama_url=fake.url).start()
        try:
            async with chromium() as browser:
                visitor = await visit(browser)
                await set_up(visitor, product)
                await ask(visitor, "Say something.")
                copy = visitor.page.get_by_role("button", name="Copy")
                again = visitor.page.get_by_role("button", name="Ask again")
                await expect(again).to_be_enabled()
                boxes = [await each.bounding_box() for each in (copy, again)]
                assert boxes[0] is not None
                assert boxes[1] is not None
                assert (boxes[0]["y"], boxes[0]["height"]) == (boxes[1]["y"], boxes[1]["height"])
                assert await copy.evaluate(LOOK) == await again.evaluate(LOOK)
                fake.break_after = None
                await again.click()
                await expect(visitor.page.locator(".answer").last).to_contain_text(
                    "The first words. The first"
                )
                await expect(visitor.page.get_by_role("button", name="Copy")).to_have_count(2)
        finally:
            product.end()
