"""What can be wrong with a question or a conversation."""

from youworker_app.core.errors import Conflict, TooLarge, TooManyRequests, Unprocessable


class QuestionEmpty(Unprocessable):
    code, template = "QUESTION_EMPTY", "Write a question first."


class QuestionTooLong(TooLarge):
    code, template = (
        "QUESTION_TOO_LONG",
        "This question has {length} characters; at most {limit} are accepted.",
    )


class AnswerRunning(Conflict):
    code, template = (
        "ANSWER_RUNNING",
        "An answer is still being written in this conversation. Stop it, or wait for its end.",
    )


class TooManyAnswers(TooManyRequests):
    code, template = (
        "TOO_MANY_ANSWERS",
        "{limit} of your answers are being written already. Wait for one of them to end.",
    )


class SessionTitleInvalid(Unprocessable):
    code, template = "SESSION_TITLE_INVALID", "A title has 1 to 200 visible characters."


class AnswerInterrupted(Unprocessable):
    code, template = (
        "ANSWER_INTERRUPTED",
        "The server stopped while this answer was being written. What had been written is kept.",
    )


class AnswerFailed(Unprocessable):
    code, template = (
        "ANSWER_FAILED",
        "The answer failed for a reason on our side. It was recorded under {reference}; please try again.",
    )
