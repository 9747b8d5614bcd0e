"""`python -m bench [scenario…] [--quick]`: measures, prints the table and writes it to bench/results."""

import argparse
import asyncio
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from bench.context import Bench, Size
from bench.figures import Figure
from bench.machine import commit, load, machine
from bench.report import RESULTS, Run, table, write
from bench.scenarios import browser, builtin, busy, chat, guard, ingestion, large, page, search, start, trail
from bench.servers import model_server

SCENARIOS: Mapping[str, Callable[[Bench], AsyncIterator[Figure]]] = {
    "start": start.measure,
    "page": page.measure,
    "chat": chat.measure,
    "browser": browser.measure,
    "ingestion": ingestion.measure,
    "search": search.measure,
    "builtin": builtin.measure,
    "busy": busy.measure,
    "large": large.measure,
    "guard": guard.measure,
    "trail": trail.measure,
}
LONGEST_S = 900.0  # a scenario that hangs is given up


async def measure(names: list[str], *, size: Size) -> Run:
    """Runs the scenarios one after the other; one that fails does not take the others with it."""
    run = Run(datetime.now(UTC), commit(), machine(), {"size": size, "scenarios": names})
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with model_server() as models:
            bench = Bench(Path(folder), models, size)
            for name in names:
                await _scenario(run, bench, name)
            run.remarks = bench.remarks
    return run


async def _scenario(run: Run, bench: Bench, name: str) -> None:
    print(f"{name}…", flush=True)
    run.load[name] = load()
    begun = time.monotonic()
    try:
        async with asyncio.timeout(LONGEST_S):
            async for figure in SCENARIOS[name](bench):
                run.figures.append(figure)
                print(f"  {figure.name} {figure.value}  {dict(figure.detail)}", flush=True)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other figures are wanted
        traceback.print_exc()
        run.failed[name] = f"{type(error).__name__}: {error}"
    run.took_s[name] = round(time.monotonic() - begun, 1)


def main() -> int:
    """0 when every scenario could be measured, reached or not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=", ".join(SCENARIOS))
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, smaller amounts")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the table goes")
    given = parser.parse_args()
    if unknown := set(given.scenarios) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    size: Size = "quick" if given.quick else "full"
    run = uvloop.run(measure(given.scenarios or list(SCENARIOS), size=size))
    print("\n" + table(run))
    print(f"Written to {write(run, given.results)}")
    return 1 if run.failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
