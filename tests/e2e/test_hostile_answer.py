"""What a model or a document says is shown and never run: no script, no foreign picture, no dangerous link."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Locator, expect

from tests.e2e.browser import Visitor, chromium, visit
from tests.e2e.product import Product
from tests.e2e.speaking_server import speaking
from tests.e2e.test_journey import add, ask, row, set_up

pytestmark = pytest.mark.timeout(240)

HOSTILE = """Harmless words.

<script>document.title = "run"</script>
<img src="http://evil.example/pixel.png" onerror="document.title = 'run'">
<iframe src="http://evil.example/"></iframe>
<svg onload="document.title = 'run'"><animate onbegin="document.title = 'run'"></svg>
<a href="javascript:document.title='run'">one</a>
[two](javascript:document.title='run') [three](data:text/html,<script>document.title='run'</script>)
![four](http://evil.example/pixel.png)
<style>body { display: none }</style>
<form action="http://evil.example/"><input name="q"></form>

| a | b |
|---|---|
| <b onmouseover="document.title='run'">c</b> | d |

The last words.
"""


async def shown_but_not_run(visitor: Visitor, answer: Locator, product: Product) -> None:
    """The answer is there as words, and nothing of it did anything."""
    await expect(answer).to_contain_text("The last words.")
    await expect(visitor.page.locator(".answer[data-writing]")).to_have_count(0)
    assert await visitor.page.title() != "run"
    for tag in ("script", "iframe", "svg animate", "form", "style", "img"):
        assert await answer.locator(tag).count() == 0, tag
    links = await answer.locator("a").evaluate_all("links => links.map(link => link.protocol)")
    assert set(links) <= {"http:", "https:", "mailto:"}
    assert visitor.hosts == {urlsplit(product.url).netloc}
    assert not any("Content Security Policy" in problem for problem in visitor.problems)


async def test_an_answer_of_a_model_runs_nothing_while_it_streams_and_afterwards(tmp_path: Path) -> None:
    with speaking(HOSTILE) as ollama_url:
        product = Product(tmp_path / "installation" / "data", ollama_url=ollama_url).start()
        try:
            async with chromium() as browser:
                visitor = await visit(browser)
                await set_up(visitor, product)
                await ask(visitor, "Say something.")
                answer = visitor.page.locator(".answer .prose")
                await shown_but_not_run(visitor, answer, product)
                await visitor.page.reload()
                await shown_but_not_run(visitor, answer, product)
        finally:
            product.end()


async def test_a_document_runs_nothing_in_quotes_and_in_the_viewer(tmp_path: Path) -> None:
    product = Product(tmp_path / "installation" / "data").start()
    try:
        async with chromium() as browser:
            visitor = await visit(browser)
            await set_up(visitor, product)
            (tmp_path / "evil <img src=x onerror=alert(1)>.md").write_text(HOSTILE)
            await add(visitor, tmp_path / "evil <img src=x onerror=alert(1)>.md")
            await expect(row(visitor, "evil").get_by_text("Ready")).to_be_visible()
            await visitor.page.get_by_role("link", name="Chat", exact=True).click()
            await ask(visitor, "Which harmless words and which last words are there?")
            await shown_but_not_run(visitor, visitor.page.locator(".answer .prose"), product)
            await visitor.page.locator(".answer .cite").first.click()
            await expect(visitor.page.locator(".quote")).to_contain_text("onerror")
            assert await visitor.page.title() != "run"
            assert visitor.hosts == {urlsplit(product.url).netloc}
    finally:
        product.end()
