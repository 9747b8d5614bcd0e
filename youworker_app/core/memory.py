"""Memory that was freed goes back to the system, where the C library would keep it for later."""

import ctypes
from contextlib import suppress


def give_back_freed() -> None:
    """After something large was loaded: 25 MB with the embedding model. Takes some 10 ms, without the interpreter."""
    with suppress(AttributeError, OSError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)
