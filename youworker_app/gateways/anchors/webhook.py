"""Anchors sent to an address: `POST {"blocks": [{seq, mac, sealed_at}]}`, which anything but 2xx refuses."""

from collections.abc import Sequence
from dataclasses import asdict

import httpx

from youworker_app.gateways.anchors.protocol import Anchor, AnchorsAway


class WebhookAnchors:
    """An `AnchorStore` that only takes: what was kept there is compared by who keeps it."""

    def __init__(self, url: str, *, token: str = "", timeout_s: float = 5) -> None:
        self._url = url
        self._client = httpx.AsyncClient(
            timeout=timeout_s,
            headers={"authorization": f"Bearer {token}"} if token else {},
            # To this address alone: no proxy from the environment, no redirect.
            trust_env=False,
            follow_redirects=False,
        )

    async def put(self, anchors: Sequence[Anchor]) -> None:
        try:
            # The body of the answer is not read: only whether it was taken counts.
            async with self._client.stream(
                "POST", self._url, json={"blocks": [asdict(anchor) for anchor in anchors]}
            ) as response:
                status = response.status_code
        except httpx.HTTPError as error:
            raise AnchorsAway(reason=type(error).__name__) from error
        if not httpx.codes.is_success(status):
            raise AnchorsAway(reason=f"status {status}")

    async def newest(self) -> Anchor | None:
        return None

    async def close(self) -> None:
        await self._client.aclose()
