"""The typed registry: adapters ask for a service by its class; wiring fills it. Core names no domain."""

from typing import TypeVar, cast

T = TypeVar("T")

_instances: dict[type, object] = {}


def provide(kind: type[T], instance: T) -> None:
    """Registers the one instance of a service class or port."""
    _instances[kind] = instance


def service(kind: type[T]) -> T:
    """The registered instance. Raises LookupError when wiring did not run."""
    try:
        return cast(T, _instances[kind])
    except KeyError:
        raise LookupError(f"{kind.__name__} is not wired") from None


def find(kind: type[T]) -> T | None:
    """The registered instance, or None."""
    return cast("T | None", _instances.get(kind))


def clear() -> None:
    """Forgets everything (between tests, at shutdown)."""
    _instances.clear()
