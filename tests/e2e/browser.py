"""A browser for journeys: Debian's Chromium, watched for errors and for calls to other hosts."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 375, "height": 812}

# `make screenshots` writes them where the README shows them; tests keep theirs to themselves.
SCREENSHOTS = ROOT / "docs" / "screenshots" if os.environ.get("YOUWORKER_SCREENSHOTS") else None


@dataclass
class Visitor:
    """One person's browser window, with what it did behind the screen."""

    context: BrowserContext
    page: Page
    hosts: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Notes hosts and errors of a page."""
        page.on("request", lambda request: self._requested(request.url))
        page.on("websocket", lambda socket: self._requested(socket.url))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda entry: self._said(entry.type, entry.text))

    def _requested(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"}:
            self.hosts.add(parts.netloc)

    def _said(self, kind: str, text: str) -> None:
        # A refused upload is an answer, not a defect; the browser writes every status above 400 on the console.
        if kind == "error" and "Failed to load resource" not in text:
            self.problems.append(text)

    async def picture(self, name: str, folder: Path) -> None:
        """A screenshot under its name."""
        await self.page.screenshot(path=str((SCREENSHOTS or folder) / f"{name}.png"), animations="disabled")

    async def accessible(self) -> list[str]:
        """What axe finds wrong with the page as it is, as `rule: element`."""
        found: Any = await Axe().run(self.page, options={"resultTypes": ["violations"]})
        return [
            f"{each['id']}: {node['html'][:160]}"
            for each in found.response["violations"]
            for node in each["nodes"]
        ]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


async def visit(browser: Browser, **options: Any) -> Visitor:
    """A new window of its own. `options` as Playwright's new_context takes them."""
    context = await browser.new_context(**{"viewport": DESKTOP, "locale": "en-US", **options})
    context.set_default_timeout(15_000)
    visitor = Visitor(context, await context.new_page())
    visitor.watch(visitor.page)
    return visitor
