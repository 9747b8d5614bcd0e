"""What a new user does, in five steps, in a real browser over the built app and a real PDF.

The steps build on one another, so they are one test a person: setting up, adding files, asking, coming back.
"""

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.e2e.browser import DESKTOP, PHONE, Visitor, chromium, visit
from tests.e2e.product import Product
from tests.e2e.speaking_server import speaking

expect.set_options(timeout=20_000)
pytestmark = pytest.mark.timeout(300)

MANUAL = Path("/usr/share/debian-reference/debian-reference.en.pdf")
LETTER = re.compile(r"[A-Za-z]")
PASSWORD = "una lunga parola segreta"
QUESTION = "How can I search package names which contain a file installed by dpkg?"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    async with chromium() as opened:
        yield opened


@pytest.fixture
async def product(tmp_path: Path) -> AsyncIterator[Product]:
    """A product without a language model, on a new data folder."""
    started = Product(tmp_path / "installation" / "data").start()
    yield started
    started.end()


async def set_up(visitor: Visitor, product: Product) -> None:
    """Opens the printed link and makes the first account."""
    page = visitor.page
    await page.goto(product.setup_link())
    await page.get_by_label("User name").fill("marta")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Create the account").click()
    await expect(page.get_by_role("heading", name="What would you like to know, marta?")).to_be_visible()


async def add(visitor: Visitor, *files: Path) -> None:
    """Adds files on the documents' page."""
    await visitor.page.get_by_role("link", name="Documents").click()
    await expect(visitor.page.get_by_role("heading", name="Documents", exact=True)).to_be_visible()
    await visitor.page.locator("input[type=file]").first.set_input_files([str(file) for file in files])


def row(visitor: Visitor, name: str) -> Locator:
    """A document's line."""
    return visitor.page.locator("li.doc", has_text=name)


async def ask(visitor: Visitor, question: str) -> None:
    """Asks in the open conversation."""
    await visitor.page.get_by_role("textbox", name="Ask about your documents").fill(question)
    await visitor.page.keyboard.press("Enter")


async def test_a_new_user_sets_up_adds_asks_checks_and_comes_back(
    browser: Browser, product: Product, tmp_path: Path
) -> None:
    # 1 and 2: the link makes the first account, once.
    visitor = await visit(browser)
    page = visitor.page
    await set_up(visitor, product)
    await visitor.picture("chat-empty-desktop-light", tmp_path)
    stranger = await visit(browser)
    await stranger.page.goto(product.setup_link())
    await expect(stranger.page).to_have_url(f"{product.url}/login")
    await stranger.context.close()

    # 3: files go in, each on its own; what failed says why.
    scan, program = tmp_path / "broken.pdf", tmp_path / "tool.txt"
    scan.write_bytes(MANUAL.read_bytes()[:30_000])
    program.write_bytes(Path("/bin/true").read_bytes())
    notes = tmp_path / "note.md"
    notes.write_text("# Boiler\n\nThe boiler in the cellar is serviced in March. Its number is K-4711.\n")
    await add(visitor, MANUAL, scan, program, notes)
    await expect(page.get_by_text("its content is Linux ELF")).to_be_visible()
    await expect(row(visitor, "broken.pdf")).to_contain_text("damaged")
    await expect(row(visitor, "note.md").get_by_text("Ready")).to_be_visible()
    await expect(row(visitor, MANUAL.name).get_by_role("progressbar")).to_be_visible()
    await visitor.picture("documents-working-desktop-light", tmp_path)
    await expect(row(visitor, MANUAL.name).get_by_text("Ready")).to_be_visible(timeout=120_000)
    assert await visitor.accessible() == []

    # 4: the answer streams; its citation opens the page with the passage boxed, and the original comes back to the bit.
    await page.get_by_role("link", name="Chat", exact=True).click()
    await ask(visitor, QUESTION)
    citation = page.locator(".answer .cite").first
    await expect(citation).to_be_visible()
    await expect(page.locator(".answer[data-writing]")).to_have_count(0)
    await citation.click()
    panel = page.get_by_role("complementary").filter(has_text=MANUAL.name)
    await expect(panel.locator("img")).to_have_js_property("complete", True)
    assert await panel.locator("img").evaluate("image => image.naturalWidth") > 600
    await expect(panel).to_contain_text("dpkg")
    await visitor.picture("chat-citation-desktop-light", tmp_path)
    assert await visitor.accessible() == []
    async with page.expect_download() as download:
        await panel.get_by_role("link", name="Download").click()
    assert Path(await (await download.value).path()).read_bytes() == MANUAL.read_bytes()
    await page.keyboard.press("Escape")
    await expect(panel).to_have_count(0)

    # The conversation moved to its own address without being loaded again; who comes back to it does have it loaded.
    said = await page.locator(".answer .prose").last.inner_text()
    await expect(page).to_have_url(re.compile(r"/c/[0-9a-f-]{36}$"))
    await page.get_by_role("link", name="New chat").first.click()
    await expect(page.locator(".chat[data-empty=yes]")).to_be_visible()
    await page.go_back()
    await expect(page.locator(".answer .prose").last).to_have_text(said, use_inner_text=True)

    # A reload finds the conversation as it was.
    await page.reload()
    await expect(page.locator(".answer .prose").last).to_have_text(said, use_inner_text=True)

    # 5: stopped and started again, everything is there.
    address = page.url
    assert product.stop(signal.SIGTERM) == 0
    product.start()
    await page.goto(address)
    await expect(page.locator(".answer .prose").last).to_have_text(said, use_inner_text=True)
    await page.get_by_role("link", name="Documents").click()
    await expect(row(visitor, MANUAL.name).get_by_text("Ready")).to_be_visible()
    assert visitor.hosts == {urlsplit(product.url).netloc}
    assert [problem for problem in visitor.problems if "WebSocket" not in problem] == []


async def test_phone_dark_and_italian(browser: Browser, product: Product, tmp_path: Path) -> None:
    english = await visit(browser)
    await set_up(english, product)
    note = tmp_path / "caldaia.md"
    note.write_text("# Caldaia\n\nLa caldaia in cantina si revisiona a marzo. Il suo numero è K-4711.\n")
    await add(english, note)
    await expect(row(english, "caldaia.md").get_by_text("Ready")).to_be_visible()
    cookies = await english.context.cookies()
    for name, options in (
        ("phone-light", {"viewport": PHONE, "color_scheme": "light", "has_touch": True}),
        ("phone-dark", {"viewport": PHONE, "color_scheme": "dark", "has_touch": True}),
        ("desktop-dark", {"viewport": DESKTOP, "color_scheme": "dark"}),
    ):
        visitor = await visit(browser, locale="it-IT", **options)
        await visitor.context.add_cookies(cookies)  # type: ignore[arg-type]  # what it gave is what it takes
        page = visitor.page
        await page.goto(product.url)
        await page.get_by_role("textbox", name="Chiedi ai tuoi documenti").fill(
            "Quando si revisiona la caldaia?"
        )
        await page.get_by_role("button", name="Invia").click()
        await expect(page.locator(".answer .cite").first).to_be_visible()
        await expect(page.locator(".answer[data-writing]")).to_have_count(0)
        await visitor.picture(f"chat-{name}", tmp_path)
        assert await visitor.accessible() == []
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        await page.locator(".answer .cite").first.click()
        await expect(page.locator("mark")).to_contain_text("marzo")
        await visitor.picture(f"citation-{name}", tmp_path)
        assert await visitor.accessible() == []
        await page.goto(f"{product.url}/documents")
        await expect(row(visitor, "caldaia.md")).to_be_visible()
        await visitor.picture(f"documents-{name}", tmp_path)
        assert await visitor.accessible() == []
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert visitor.problems == []
        await visitor.context.close()


async def test_a_real_model_answers_through_the_whole_way(
    browser: Browser, tmp_path: Path, ollama_url: str
) -> None:
    product = Product(
        tmp_path / "installation" / "data", ollama_url=ollama_url, settings={"YOUWORKER_LLM_MAX_TOKENS": "60"}
    ).start()
    try:
        visitor = await visit(browser)
        page = visitor.page
        await set_up(visitor, product)
        await ask(visitor, "Say hello.")
        await expect(page.locator(".answer .prose")).to_contain_text(LETTER, timeout=90_000)
        await expect(page.locator(".answer[data-writing]")).to_have_count(0, timeout=90_000)
        await expect(page.get_by_role("button", name="Choose the model")).to_contain_text("smollm2")
        assert visitor.problems == []
    finally:
        product.end()


async def test_an_answer_is_reloaded_followed_and_stopped_and_loses_no_word(
    browser: Browser, tmp_path: Path
) -> None:
    story = "".join(f"Word {number} of a long story. " for number in range(400))
    with speaking(story, piece=29, pause_s=0.02) as ollama_url:
        product = Product(tmp_path / "installation" / "data", ollama_url=ollama_url).start()
        try:
            visitor = await visit(browser)
            await set_up(visitor, product)
            await follow(visitor, story)
            await stop(visitor)
        finally:
            product.end()


async def follow(visitor: Visitor, story: str) -> None:
    """A reload, a second tab and a lost connection in mid-answer find it still growing and lose no word."""
    page = visitor.page
    await ask(visitor, "Tell me a long story.")
    await expect(page.locator(".answer[data-writing] .prose")).to_contain_text("Word 3 ")
    await page.reload()
    await expect(page.locator(".answer[data-writing] .prose")).to_contain_text("Word 3 ")
    second = await visitor.context.new_page()
    await second.goto(page.url)
    await expect(second.locator(".answer[data-writing] .prose")).to_contain_text("Word 3 ")
    await visitor.context.set_offline(True)
    await asyncio.sleep(0.5)
    await visitor.context.set_offline(False)
    for tab in (page, second):
        await expect(tab.locator(".answer[data-writing]")).to_have_count(0, timeout=60_000)
        assert letters(await tab.locator(".answer .prose").inner_text()) == letters(story)
    await second.close()


async def stop(visitor: Visitor) -> None:
    """Stop ends it at once, and the part that was written stays."""
    page = visitor.page
    await ask(visitor, "Tell me another long story.")
    await expect(page.locator(".answer[data-writing] .prose")).to_contain_text("Word 3 ")
    await page.get_by_role("button", name="Stop").click()
    await expect(page.locator(".answer[data-writing]")).to_have_count(0, timeout=2_000)
    await expect(page.get_by_text("You stopped this answer.")).to_be_visible()
    await expect(page.locator(".answer .prose").last).to_contain_text("Word 3 ")
    await expect(page.locator(".answer .prose").last).not_to_contain_text("Word 399 ")


def letters(text: str) -> str:
    """Letters and digits alone: what markdown's marks and line breaks cannot change."""
    return "".join(character for character in text if character.isalnum())
