"""The error tree, on one screen.

A service raises an `AppError`; two translators exist, one to JSON (`api/errors.py`) and one to a toast (`ui/errors.py`).
The English text stands here; other languages in the catalogue under `error.<CODE>`. No error carries message text,
file content or a secret.
"""

from typing import ClassVar, TypeAlias

from youworker_app.core.asking import asking
from youworker_app.core.telemetry import client_address

Detail: TypeAlias = str | int | float | bool | None


class AppError(Exception):
    """An error told to a person: what happened and what to do. `template` is formatted with the details.

    Who was asking and from where is kept for the audit trail: where an error is answered that may be forgotten.
    """

    code: ClassVar[str] = "ERROR"
    http_status: ClassVar[int] = 500
    template: ClassVar[str] = "Something went wrong."

    def __init__(self, **details: Detail) -> None:
        self.details: dict[str, Detail] = details
        self.asked_by, self.asked_from = asking.get(), client_address.get()
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The English sentence."""
        return self.template.format_map(_Missing(self.details))


class _Missing(dict[str, Detail]):
    """A template that names a detail which was not given still makes a sentence."""

    def __missing__(self, key: str) -> str:
        return "?"


class Malformed(AppError):
    code, http_status, template = "MALFORMED", 400, "The request could not be read: {reason}"


class Unauthenticated(AppError):
    code, http_status, template = "UNAUTHENTICATED", 401, "Please sign in."


class Forbidden(AppError):
    code, http_status, template = "FORBIDDEN", 403, "You are not allowed to do this."


class NotFound(AppError):
    code, http_status, template = "NOT_FOUND", 404, "This does not exist, or you cannot see it."


class Conflict(AppError):
    code, http_status, template = "CONFLICT", 409, "This conflicts with what is there already."


class ChangedMeanwhile(Conflict):
    """Two people changed the same thing at once, or one removed what the other was adding to. Trying again is safe."""

    code = "CHANGED_MEANWHILE"
    template = "Somebody changed or removed this at the same moment. Reload and try again."


class TooLarge(AppError):
    code, http_status, template = "TOO_LARGE", 413, "This is larger than allowed."


class UnsupportedType(AppError):
    code, http_status, template = "UNSUPPORTED_TYPE", 415, "This type is not supported."


class Unprocessable(AppError):
    code, http_status, template = "UNPROCESSABLE", 422, "This cannot be used as it is: {reason}"


class TooManyRequests(AppError):
    code, http_status, template = (
        "TOO_MANY_REQUESTS",
        429,
        "Too many requests. Try again in {retry_after_s} seconds.",
    )


class DependencyAway(AppError):
    """`passes`: it can come back by itself, so work that needs it may wait however long."""

    passes: ClassVar[bool] = True
    code, http_status, template = (
        "DEPENDENCY_AWAY",
        503,
        "A service that this needs cannot be reached at the moment.",
    )


class StorageFull(DependencyAway):
    code = "STORAGE_FULL"
    template = (
        "The server's disk is full, nothing was kept. Ask an administrator to make room, then try again."
    )


class StorageAway(DependencyAway):
    code = "STORAGE_AWAY"
    template = "The server's file storage does not answer ({reason}). Ask an administrator to look at it."


class ConfigurationError(AppError):
    """The installation cannot start as it is configured; the message says what to change."""

    code, http_status, template = "CONFIGURATION", 503, "{problem}"
