"""What the OpenAPI document says about errors: one shape for all of them, and every status that a client can meet.

What any route under /v1 can answer is said once, where the application is made; a route adds its own with `errors`.
"""

from typing import Any, Final, TypeAlias

from pydantic import BaseModel

Responses: TypeAlias = dict[int | str, dict[str, Any]]


class ErrorBody(BaseModel):
    code: str
    message: str
    details: dict[str, Any]
    correlation_id: str


class ErrorAnswer(BaseModel):
    error: ErrorBody


_TOLD: Final = {
    400: "It could not be read.",
    401: "Nobody is signed in.",
    403: "The key's scope or the role lacks.",
    404: "Missing, or not visible.",
    408: "The body came too slowly.",
    409: "It conflicts with what is there.",
    413: "It is larger than allowed.",
    415: "This type is not taken.",
    416: "The range lies outside of the file.",
    422: "Well formed but wrong.",
    429: "Too often, or too many at once; Retry-After says when to come back.",
    503: "Something that this needs is away.",
}


def errors(*statuses: int) -> Responses:
    """The responses of a route that can answer these errors."""
    return {status: {"model": ErrorAnswer, "description": _TOLD[status]} for status in statuses}


ANYWHERE: Final = errors(400, 401, 403, 404, 408, 413, 415, 422, 429)
