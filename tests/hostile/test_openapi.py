"""Requests made from the OpenAPI document, with and against it: no server error, and nothing that it does not describe.

Each operation is asked by a signed-in browser and by a script with a key, with real ids and with made-up ones.
"""

import asyncio
from typing import Final

import pytest
from schemathesis import GenerationMode

from tests.hostile.asking import Asker, made_up
from tests.hostile.town import settled
from tests.web import Web

EXAMPLES: Final = 8
MANY_EXAMPLES: Final = 400
# What can go well only in another state of the house, so that it is refused here, always as described.
ALWAYS_REFUSED: Final = {
    "DELETE /v1/account": "the person is the only administrator",
    "POST /v1/setup": "the house has its first account",
    "POST /v1/ingest/jobs/{job_id}/cancel": "the job is done",
    "POST /v1/ingest/jobs/{job_id}/retry": "the job is done",
}


@pytest.fixture
async def asker(web: Web) -> Asker:
    return Asker(web, await settled(web))


async def test_the_edges_of_the_document(asker: Asker) -> None:
    for operation in asker.operations():
        for number, case in enumerate(asker.edges(operation)):
            await asker.ask(case, is_real=False, by_cookie=number % 2 == 0)
    assert not asker.wrong, "\n\n".join(f"{what}\n{told}" for what, told in asker.wrong.items())


async def test_requests_with_and_against_the_document(asker: Asker) -> None:
    await ask_all(asker, EXAMPLES, derandomize=True)
    assert not asker.wrong, "\n\n".join(f"{what}\n{told}" for what, told in asker.wrong.items())
    went_well = {label for label, seen in asker.statuses.items() if any(status < 300 for status in seen)}
    assert asker.statuses.keys() - went_well == ALWAYS_REFUSED.keys()


@pytest.mark.long
async def test_very_many_requests_with_and_against_the_document(asker: Asker) -> None:
    await ask_all(asker, MANY_EXAMPLES, derandomize=False)
    assert not asker.wrong, "\n\n".join(f"{what}\n{told}" for what, told in asker.wrong.items())


async def ask_all(asker: Asker, examples: int, *, derandomize: bool) -> None:
    for operation in asker.operations():
        for mode in GenerationMode:
            cases = await asyncio.to_thread(made_up, operation, mode, examples, derandomize=derandomize)
            for case, is_real, by_cookie in cases:
                await asker.ask(case, is_real=is_real, by_cookie=by_cookie)
