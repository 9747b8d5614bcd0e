"""`python -m tests.crash.server`: the product's launcher, which dies at a named point once a test has armed it.

The file that CRASH_ARMED names holds `<passes> <point>`: the server lets so many passes through the point go by and kills itself
at the next one. Without the file it is the product as it is.
"""

import asyncio
import functools
import importlib.machinery
import inspect
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.abc import Loader, MetaPathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.crash.points import POINTS, Point
from youworker_app.serve import main

_ARMED = Path(os.environ["CRASH_ARMED"])
_lock = threading.Lock()
_passed: dict[str, int] = {}


def pass_point(name: str) -> None:
    """Goes on, or ends this server as a power cut would."""
    try:
        passes, _, armed = _ARMED.read_text().partition(" ")
    except FileNotFoundError:
        return
    if armed != name:
        return
    with _lock:
        _passed[name] = _passed.get(name, 0) + 1
        if _passed[name] <= int(passes):
            return
        _ARMED.rename(_ARMED.with_suffix(".fired"))
        # Whichever process comes here: all of them at once, the one that does it last.
        for pid in (int(os.environ["YOUWORKER_SUPERVISOR_PID"]), os.getppid(), os.getpid()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def watched(call: Callable[..., Any], name: str, *, after: bool) -> Callable[..., Any]:
    """`call`, which passes a point before it begins or after it has ended well."""
    if asyncio.iscoroutinefunction(call):

        @functools.wraps(call)
        async def step(*arguments: Any, **options: Any) -> Any:
            if not after:
                pass_point(name)
            result = await call(*arguments, **options)
            if after:
                pass_point(name)
            return result

        return step

    @functools.wraps(call)
    def quick(*arguments: Any, **options: Any) -> Any:
        if not after:
            pass_point(name)
        result = call(*arguments, **options)
        if after:
            pass_point(name)
        return result

    assert not inspect.isgeneratorfunction(call)
    assert not inspect.isasyncgenfunction(call)
    return quick


class _Watching(Loader):
    """Loads a module as its own loader does, then watches its points."""

    def __init__(self, loader: Loader, points: dict[str, Point]) -> None:
        self._loader, self._points = loader, points

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        for name, point in self._points.items():
            owner = getattr(module, point.owner)
            setattr(owner, point.method, watched(getattr(owner, point.method), name, after=point.after))


class _Finder(MetaPathFinder):
    """Finds the modules that have points."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        points = {name: point for name, point in POINTS.items() if point.module == fullname}
        spec = importlib.machinery.PathFinder.find_spec(fullname, path) if points else None
        if spec is None or spec.loader is None:
            return None
        spec.loader = _Watching(spec.loader, points)
        return spec


sys.meta_path.insert(0, _Finder())

if __name__ == "__main__":
    sys.exit(main())
