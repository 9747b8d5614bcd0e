"""First token on the browser's path: the question over the websocket, the answer as the page follows it.

Fifty tabs speak the page's protocol from a client of their own; one real Chromium says what a person sees.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import aiohttp
from playwright.async_api import Page

from bench.client import Answer, ask_model, at_once, milliseconds, open_client, quantile
from bench.context import Bench
from bench.figures import Figure
from bench.people import Person, make_people
from bench.servers import QUICK_MODEL, Server
from bench.tab import Tab
from tests.e2e.browser import chromium, visit

QUESTION = "What should I know about the opening hours of the archive?"
_ROUNDS = {1: (30, 5), 10: (8, 3), 50: (6, 2)}  # by how many ask at once, in a full and a quick run
# What a page sends by itself a moment after it has been loaded.
_SETTLING_S = 0.6
# The browser's own clock, from the key to the first word in the document.
_WATCH = """() => {
  window.benchFirst = new Promise((resolve) => {
    const asked = (event) => {
      if (event.key !== "Enter") return;
      const begun = performance.now();
      const look = () => {
        const written = document.querySelector(".answer .prose");
        if (written && written.textContent.trim()) {
          watch.disconnect();
          removeEventListener("keydown", asked, true);
          resolve(performance.now() - begun);
        }
      };
      const watch = new MutationObserver(look);
      watch.observe(document.body, { childList: true, subtree: true, characterData: true });
    };
    addEventListener("keydown", asked, true);
  });
}"""


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """first_page_*, first_chromium."""
    settings = {"YOUWORKER_LLM_MODEL": f"{QUICK_MODEL}:latest"}
    async with bench.product(settings) as server, open_client() as http:
        people = await make_people(server, bench.pick(50, 50, 1))
        yield await _real(bench, http, server, people[0])
        async for figure in _tabs(bench, http, server, people):
            yield figure


async def _tabs(
    bench: Bench, http: aiohttp.ClientSession, server: Server, people: list[Person]
) -> AsyncIterator[Figure]:
    tabs = [Tab(http, server.url, person) for person in people]
    try:
        for tab in tabs:
            await tab.open()
        await _asked(server, tabs)
        for count in [count for count in _ROUNDS if count <= len(tabs)]:
            for figure in await _first(bench, http, server, tabs[:count]):
                yield figure
    finally:
        await asyncio.gather(*(tab.close() for tab in tabs))


async def _asked(server: Server, tabs: list[Tab]) -> tuple[list[Answer], float]:
    """One round, each tab in a conversation of its own; and the seconds of processor time that it took."""
    for tab in tabs:
        await tab.new_chat()
    await asyncio.sleep(_SETTLING_S)
    before = server.cpu_seconds()
    answers = await at_once([partial(tab.ask, QUESTION) for tab in tabs])
    return answers, server.cpu_seconds() - before


async def _first(bench: Bench, http: aiohttp.ClientSession, server: Server, tabs: list[Tab]) -> list[Figure]:
    alone: list[float] = []
    ours: list[float] = []
    used = 0.0
    for _ in range(bench.pick(*_ROUNDS[len(tabs)])):
        askers = [partial(ask_model, http, bench.models.url, QUICK_MODEL)] * len(tabs)
        alone += milliseconds(await at_once(askers))
        answers, seconds = await _asked(server, tabs)
        ours += milliseconds(answers)
        used += seconds
    model = quantile(alone, 0.5)
    detail = {
        "model_alone_p50_ms": model,
        "product_p50_ms": quantile(ours, 0.5),
        "product_p95_ms": quantile(ours, 0.95),
        "cpu_ms_an_answer_of_50_tokens": round(used * 1_000 / len(ours), 1),
        "questions": len(ours),
    }
    figures = [Figure(f"first_page_{len(tabs)}", round(quantile(ours, 0.5) - model, 1), detail)]
    if len(tabs) == max(_ROUNDS):
        figures.append(Figure("first_page_50_p95", round(quantile(ours, 0.95) - model, 1), detail))
    return figures


async def _real(bench: Bench, http: aiohttp.ClientSession, server: Server, person: Person) -> Figure:
    alone = [await ask_model(http, bench.models.url, QUICK_MODEL) for _ in range(5)]
    async with chromium() as browser:
        visitor = await visit(browser)
        name, _, value = person.cookie.partition("=")
        await visitor.context.add_cookies([{"name": name, "value": value, "url": server.url}])
        await visitor.page.goto(server.url)
        seen = [await _seen(visitor.page) for _ in range(bench.pick(10, 4))]
        await visitor.context.close()
    model = quantile(milliseconds(alone), 0.5)
    detail = {"seen_ms": [round(each) for each in seen], "model_alone_p50_ms": model}
    return Figure("first_chromium", round(quantile(seen, 0.5) - model, 1), detail)


async def _seen(page: Page) -> float:
    """Milliseconds from the key to the first word, in a new conversation."""
    await page.get_by_role("link", name="New chat").first.click()
    await page.locator(".chat[data-empty=yes]").wait_for()
    await page.wait_for_timeout(_SETTLING_S * 1_000)
    await page.get_by_role("textbox", name="Ask about your documents").fill(QUESTION)
    await page.evaluate(_WATCH)
    await page.keyboard.press("Enter")
    seen: float = await page.evaluate("() => window.benchFirst")
    await page.locator(".answer[data-writing]").wait_for(state="detached")
    return seen
