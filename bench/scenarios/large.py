"""The embedded store at 100,000 and 1,000,000 synthetic chunks, searched by somebody who may see all of them.

A search is what a question costs the store: nearest vectors and best terms at the same time. `bench.vectors` measures, in a
process of its own that takes its memory with it.
"""

import re
from collections.abc import AsyncIterator

from bench.context import Bench
from bench.figures import Figure
from bench.programs import printed_by

_FIGURE = re.compile(r"^(\w+) +([\d.,]+)$", re.MULTILINE)  # the store's log stands between them
_SEARCHED = "wide_hybrid_p95_ms"


async def measure(bench: Bench) -> AsyncIterator[Figure]:
    """search_100k, search_1m; the latter in a full run only."""
    yield await _figure("search_100k", bench.pick(100_000, 100_000, 1_000))
    if bench.size == "full":
        yield await _figure("search_1m", 1_000_000)


async def _figure(name: str, points: int) -> Figure:
    printed = await printed_by("bench.vectors", "--points", str(points), "--no-renewal")
    told = {key: float(value.replace(",", "")) for key, value in _FIGURE.findall(printed)}
    return Figure(name, round(told[_SEARCHED], 2), {"points": points, **told})
