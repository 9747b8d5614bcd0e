"""What a command tells when it cannot do its work: one sentence on standard error, and an exit code."""

from typing import Any, Final

import httpx

FAILED: Final = 1
WRONG_USE: Final = 2
INTERRUPTED: Final = 130  # as a shell says it: 128 and the signal's number


class Problem(Exception):
    """`code`: FAILED, or WRONG_USE when the command itself has to be put differently."""

    def __init__(self, sentence: str, *, code: int = FAILED) -> None:
        super().__init__(sentence)
        self.code = code


def answer_of(response: httpx.Response) -> Any:
    """The JSON of an answer. Raises Problem with the server's own sentence."""
    if response.is_success:
        return response.json() if response.content else None
    raise Problem(sentence_of(response))


def sentence_of(response: httpx.Response) -> str:
    """What a refusal says, for a person."""
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"The server answered with {response.status_code} and no reason."
