"""The translator of errors to JSON: one shape for everything that goes wrong under /v1 and beside it.

`{"error": {"code", "message", "details", "correlation_id"}}`. What a client sent is never sent back.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from youworker_app.core.errors import (
    AppError,
    DependencyAway,
    Forbidden,
    Malformed,
    NotFound,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unprocessable,
    UnsupportedType,
)
from youworker_app.core.refusals import refused
from youworker_app.core.telemetry import correlation_id, get_logger

log = get_logger(__name__)

_MOST_PROBLEMS: Final = 20


class MethodNotAllowed(AppError):
    code, http_status, template = (
        "METHOD_NOT_ALLOWED",
        405,
        "This address does not take requests of this kind.",
    )


class Invalid(Unprocessable):
    code, template = "INVALID", "Some fields of the request are missing or wrong."


class InternalError(AppError):
    code, http_status = "INTERNAL", 500
    template = "Something went wrong on our side. If it happens again, tell your administrator the number {correlation_id}."


_BY_STATUS: Final[Mapping[int, type[AppError]]] = {
    error.http_status: error
    for error in (
        Malformed,
        Unauthenticated,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        TooLarge,
        UnsupportedType,
        TooManyRequests,
        DependencyAway,
    )
}


def answer(error: AppError, details: Mapping[str, Any] | None = None) -> Response:
    """The response for an error; 429 (503 where known) says when to come back, 401 how to sign in, in their headers as well."""
    body = {
        "code": error.code,
        "message": error.message,
        "details": error.details if details is None else details,
        "correlation_id": correlation_id.get(),
    }
    # ASCII only: a lone surrogate that came in must not make the answer impossible.
    text = json.dumps({"error": body}, ensure_ascii=True)
    return Response(text, error.http_status, headers=_headers(error), media_type="application/json")


def _headers(error: AppError) -> dict[str, str]:
    if error.http_status == Unauthenticated.http_status:
        return {"www-authenticate": "Bearer"}
    if error.http_status == TooManyRequests.http_status or "retry_after_s" in error.details:
        return {"retry-after": str(error.details.get("retry_after_s", 1))}
    return {}


def translate_errors(app: FastAPI) -> None:
    """Gives the app its translators."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unknown)


async def _app_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AppError)  # noqa: S101 - registered for this class
    refused(error, _place(request))
    if error.http_status == InternalError.http_status:
        log.warning("request_failed", code=error.code, exc_info=error)
    elif error.http_status > InternalError.http_status:
        # Something else is away: which, and what it said of it, is enough.
        log.warning("request_failed", code=error.code, cause=type(error.__cause__).__name__)
    return answer(error)


def _place(request: Request) -> str:
    """The route as it is declared, without what was asked for in it."""
    method = "GET" if request.method == "HEAD" else request.method
    names: Mapping[Any, str] = getattr(request.app.state, "names", {})
    return names.get((request.scope.get("endpoint"), method), "")


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    problems = error.errors()
    if any(problem["type"] == "json_invalid" for problem in problems):
        return answer(Malformed(reason="it is not JSON"))
    fields = [
        {"field": ".".join(map(str, problem["loc"]))[:200], "problem": problem["msg"][:200]}
        for problem in problems[:_MOST_PROBLEMS]
    ]
    return answer(Invalid(), {"fields": fields})


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    known = _BY_STATUS.get(error.status_code)
    if known is None:
        return answer(InternalError(correlation_id=correlation_id.get()))
    return answer(known(reason="it is not well formed") if known is Malformed else known())


async def _gone(_request: Request, _error: Exception) -> Response:
    # Nobody reads this.
    return Response(status_code=400)


async def _unknown(_request: Request, error: Exception) -> Response:
    log.error("request_broke", exc_info=error)
    return answer(InternalError(correlation_id=correlation_id.get()))
