"""What a provider's claims say of a person here: how they might be called, and whether they administer. Pure functions."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from youworker_app.accounts.newcomers import LONGEST_USERNAME
from youworker_app.core.names import visible_name

_NAMES: Final = ("preferred_username", "nickname", "name", "email")
_NOBODYS: Final = "person"


def suggested_name(claims: Mapping[str, Any], claim: str) -> str:
    """A usable user name, from the claim that is configured, else from the usual ones. It proves nothing."""
    for name in (claim, *_NAMES):
        told = claims.get(name)
        found = visible_name(told[:LONGEST_USERNAME]) if isinstance(told, str) else None
        if found is not None:
            # NFKC can make a name longer than what came.
            return visible_name(found[:LONGEST_USERNAME]) or _NOBODYS
    return _NOBODYS


def other_names(name: str) -> Iterator[str]:
    """The name, and then others like it: whoever has a name already keeps it."""
    yield name
    for number in range(2, 1_000):
        ending = f"-{number}"
        yield f"{name[: LONGEST_USERNAME - len(ending)].rstrip()}{ending}"


def has_value(claims: Mapping[str, Any], claim: str, value: str) -> bool:
    """Whether a claim is this value, or a list that holds it. `a.b` is the claim of that name, else `b` inside of `a`."""
    found: Any = claims.get(claim)
    if claim not in claims:
        found = claims
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    values = found if isinstance(found, list) else [found]
    return any(isinstance(each, str) and each == value for each in values) or (
        found is True and value == "true"
    )
