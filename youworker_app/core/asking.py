"""Who asks, as far as is known while a request or a page's event is served: for what is told, never for what is allowed."""

from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True)
class Asking:
    """`carrier` is how a credential came ("cookie", "key"), empty without one. Person and credential are empty until they
    are known; of a credential that has run out they are known too. `place` is the handler of a page.
    """

    carrier: str = ""
    user_id: str = ""
    credential_id: str = ""
    place: str = ""


NOBODY: Final = Asking()
asking: ContextVar[Asking] = ContextVar("asking", default=NOBODY)


def begin_at(place: str) -> None:
    """A handler of a page begins: nobody is known yet."""
    asking.set(Asking(place=place))


def presented(carrier: str, user_id: str = "", credential_id: str = "") -> None:
    """Notes that a credential came, and whose it is once that is known."""
    asking.set(replace(asking.get(), carrier=carrier, user_id=user_id, credential_id=credential_id))
