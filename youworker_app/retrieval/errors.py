"""What can be wrong with a search."""

from youworker_app.core.errors import Unprocessable


class QueryEmpty(Unprocessable):
    code, template = "QUERY_EMPTY", "There is nothing to search for. Write a question or a few words."


class QueryTooLong(Unprocessable):
    """Details: max_chars, chars."""

    code = "QUERY_TOO_LONG"
    template = (
        "The question has {chars} characters; at most {max_chars} are allowed. "
        "Shorten it, or upload the text as a document."
    )


class SearchLimitInvalid(Unprocessable):
    """Detail: highest."""

    code, template = "SEARCH_LIMIT_INVALID", "A search returns between 1 and {highest} passages."
