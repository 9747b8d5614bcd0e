"""How long a start takes, to the first answer and to the first page: `python -m bench.start [times]`.

Needs a built front end. The first start of a new data folder migrates; the second is what people wait for after an update.
"""

import os
import platform
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.e2e.product import Product


def main() -> None:
    """Prints the machine and the seconds."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    )
    with tempfile.TemporaryDirectory() as folder:
        product = Product(Path(folder) / "installation" / "data").start()
        print(f"first start: {product.seconds:.2f} s")
        product.stop()
        again = [_again(product) for _ in range(times)]
    seconds, pages = zip(*again, strict=True)
    print(
        f"second start, {times} times: median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s"
    )
    print(f"first page after that: median {statistics.median(pages) * 1_000:.0f} ms")


def _again(product: Product) -> tuple[float, float]:
    product.start()
    began = time.monotonic()
    with urllib.request.urlopen(f"{product.url}/login", timeout=10) as page:
        page.read()
    took = time.monotonic() - began
    product.stop()
    return product.seconds, took


if __name__ == "__main__":
    main()
