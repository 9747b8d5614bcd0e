"""The chat's page in a browser that has never been here: bytes and requests on the wire, and when one can write."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser

from bench.client import quantile
from bench.context import Bench
from bench.figures import Figure
from bench.people import Person, make_people
from bench.servers import Server
from tests.e2e.browser import chromium, visit

# After the page can be used, what it loads late is counted too.
_LATE_S = 1.5
# The browser's clock, from the start of the navigation until the field for questions is there and can be written in.
_WATCH = """
window.benchReady = new Promise((resolve) => {
  const look = () => {
    const field = document.querySelector("textarea");
    if (field && !field.disabled && field.offsetParent !== null) resolve(performance.now());
    else requestAnimationFrame(look);
  };
  look();
});
"""


@dataclass
class Visit:
    """What one cold visit cost."""

    requests: set[str] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)
    bytes: int = 0
    ready_s: float = 0.0

    def sent(self, event: dict[str, Any]) -> None:
        """A request, websockets included."""
        url = event.get("url") or event["request"]["url"]
        if urlsplit(url).scheme in {"http", "https", "ws", "wss"}:
            self.requests.add(event["requestId"])
            self.hosts.add(urlsplit(url).netloc)

    def loaded(self, event: dict[str, Any]) -> None:
        """A response's headers and body, as compressed."""
        self.bytes += int(event["encodedDataLength"])

    def heard(self, event: dict[str, Any]) -> None:
        """A frame of the websocket."""
        self.bytes += len(event["response"]["payloadData"].encode())


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """page_*."""
    async with bench.product() as server, chromium() as browser:
        person = (await make_people(server, 1))[0]
        visits = [await _visit(browser, server, person) for _ in range(bench.pick(7, 3))]
    host = urlsplit(server.url).netloc
    seconds = [round(each.ready_s, 3) for each in visits]
    kilobytes = [round(each.bytes / 1_000, 1) for each in visits]
    requests = [len(each.requests) for each in visits]
    yield Figure("page_bytes", quantile(kilobytes, 0.5), {"kB": kilobytes})
    yield Figure("page_requests", quantile(requests, 0.5), {"requests": requests})
    yield Figure("page_interactive", quantile(seconds, 0.5), {"seconds": seconds})
    yield Figure("page_foreign", sum(len(each.hosts - {host}) for each in visits))


async def _visit(browser: Browser, server: Server, person: Person) -> Visit:
    visitor, seen = await visit(browser), Visit()
    name, _, value = person.cookie.partition("=")
    await visitor.context.add_cookies([{"name": name, "value": value, "url": server.url}])
    await visitor.page.add_init_script(_WATCH)
    devtools = await visitor.context.new_cdp_session(visitor.page)
    await devtools.send("Network.enable")
    devtools.on("Network.requestWillBeSent", seen.sent)
    devtools.on("Network.webSocketCreated", seen.sent)
    devtools.on("Network.loadingFinished", seen.loaded)
    devtools.on("Network.webSocketFrameReceived", seen.heard)
    await visitor.page.goto(server.url, wait_until="commit")
    seen.ready_s = await visitor.page.evaluate("() => window.benchReady") / 1_000
    await visitor.page.wait_for_timeout(_LATE_S * 1_000)
    await visitor.context.close()
    return seen
