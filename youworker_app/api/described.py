"""What the OpenAPI document says about errors: one shape for all of them."""

from typing import Any, Final

from pydantic import BaseModel


class ErrorBody(BaseModel):
    code: str
    message: str
    details: dict[str, Any]
    correlation_id: str


class ErrorAnswer(BaseModel):
    error: ErrorBody


ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    401: {"model": ErrorAnswer, "description": "Nobody is signed in."},
    403: {"model": ErrorAnswer, "description": "The key's scope or the role lacks."},
    404: {"model": ErrorAnswer, "description": "Missing, or not visible."},
    422: {"model": ErrorAnswer, "description": "Well formed but wrong."},
    "default": {"model": ErrorAnswer, "description": "Any other error."},
}
