"""What can go wrong on a document's way in."""

from youworker_app.core.errors import AppError, Conflict, Forbidden, Unprocessable


class NoTextFound(Unprocessable):
    code, template = (
        "NO_TEXT_FOUND",
        "No readable text was found in this file, so there is nothing to search in it.",
    )


class RequesterGone(Forbidden):
    code, template = (
        "REQUESTER_GONE",
        "The person who uploaded this may no longer work here, so the work was stopped.",
    )


class JobNotStoppable(Conflict):
    code, template = "JOB_ENDED", "This work has ended already."


class JobNotRetryable(Conflict):
    code, template = "JOB_NOT_FAILED", "Only work that failed or was cancelled can be tried again."


class InternalFailure(AppError):
    code, http_status = "READING_FAILED", 500
    template = "Reading this file failed for a reason on our side. It was recorded under {reference}; please try again."
