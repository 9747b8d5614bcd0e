"""Kinds of values that requests carry, checked before any service sees them."""

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, StringConstraints, WithJsonSchema

from youworker_app.core.errors import NotFound

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def opaque(value: str) -> str:
    """The value. Raises NotFound for what cannot be an id."""
    # What cannot be an id is one that does not exist: the same answer, and nothing odd reaches the database.
    if not _ID.fullmatch(value):
        raise NotFound
    return value


def _without_nul(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not contain a NUL character")
    return value


def one_of(*choices: str) -> WithJsonSchema:
    """Describes the choices; the service refuses others, with a sentence of its own."""
    return WithJsonSchema({"type": "string", "enum": list(choices)})


# The pattern is described and not checked by the framework: what does not match is not there (404), and no wrong form (422).
OpaqueId: TypeAlias = Annotated[
    str, AfterValidator(opaque), WithJsonSchema({"type": "string", "pattern": f"^{_ID.pattern}$"})
]
PlainText: TypeAlias = Annotated[str, AfterValidator(_without_nul)]
ShortText: TypeAlias = Annotated[str, StringConstraints(max_length=512), AfterValidator(_without_nul)]
