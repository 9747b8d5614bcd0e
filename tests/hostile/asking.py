"""Asks the REST application what schemathesis makes up from its OpenAPI document, and keeps what was not as described."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from requests import PreparedRequest, Request
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.hostile.town import Town
from tests.web import BASE, Web

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
_PARTS: Final = frozenset({"method", "url", "headers", "files", "data", "params", "cookies", "json"})
# Credentials are the test's own.
_CONFIG: Final = {"generation": {"with-security-parameters": False}}


@dataclass
class Asker:
    """Sends cases as a person of the town. `statuses` are what each operation answered, `wrong` what nobody described."""

    web: Web
    town: Town
    statuses: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    wrong: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.schema = schemathesis.openapi.from_dict(
            self.web.api.openapi(), config=schemathesis.Config.from_dict(_CONFIG)
        )
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.web.app, raise_app_exceptions=False)
        )

    def operations(self) -> Iterator[Any]:
        """Every operation of the document."""
        return (found.ok() for found in self.schema.get_all_operations())

    def edges(self, operation: Any) -> Iterator[Any]:
        """Cases at and just over every bound that the document tells of an operation."""
        return self.schema.iter_coverage_cases(
            operation,
            generation_modes=list(GenerationMode),
            generation_config=self.schema.config.generation_for(operation=operation),
        )

    async def ask(self, case: Any, *, is_real: bool, by_cookie: bool) -> None:
        """Sends one case, with real ids and values in it or as it was made up."""
        if is_real:
            self._make_real(case)
        prepared = _prepared(case, self.town.credentials(by_cookie=by_cookie))
        answer = await self._client.send(_request(prepared))
        label = case.operation.label
        self.statuses[label].add(answer.status_code)
        try:
            case.validate_response(_response(answer, prepared), checks=CHECKS)
        except FailureGroup as failures:
            for failure in failures.exceptions:
                self._note(label, answer, failure, prepared)
        if answer.is_success:
            await self.town.restore(label)

    def _make_real(self, case: Any) -> None:
        for name in case.path_parameters or ():
            if name in self.town.ids:
                case.path_parameters[name] = self.town.ids[name]
        if not isinstance(case.body, dict):
            return
        real = self.town.values(case.operation.label)
        for name in case.body:
            if name in real:
                case.body[name] = real[name]

    def _note(self, label: str, answer: httpx.Response, failure: Failure, sent: PreparedRequest) -> None:
        told = f"{failure}\n{answer.text[:500]}\n{sent.url}\n{sent.body!r:.500}"
        self.wrong.setdefault(f"{label} {answer.status_code} {failure.title}", told)


def made_up(operation: Any, mode: GenerationMode, n: int, *, derandomize: bool) -> list[Any]:
    """Some (case, is_real, by_cookie) that fit the document, or that do not; none where nothing can be wrong."""
    if mode is GenerationMode.NEGATIVE and not (
        operation.body or operation.query or operation.path_parameters or operation.headers
    ):
        return []
    cases: list[Any] = []

    @given(operation.as_strategy(generation_mode=mode), st.sampled_from([True, True, False]), st.booleans())
    @settings(
        max_examples=n,
        deadline=None,
        database=None,
        derandomize=derandomize,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def gather(case: Any, is_real: bool, by_cookie: bool) -> None:
        cases.append((case, is_real, by_cookie))

    gather()
    return cases


def _prepared(case: Any, credentials: dict[str, str]) -> PreparedRequest:
    parts = {name: value for name, value in case.as_transport_kwargs(base_url=BASE).items() if name in _PARTS}
    prepared = Request(**parts).prepare()
    prepared.headers.update(credentials)
    return prepared


def _request(prepared: PreparedRequest) -> httpx.Request:
    body = prepared.body or b""
    headers = [(_bytes(name), _bytes(value)) for name, value in prepared.headers.items() if value is not None]
    return httpx.Request(prepared.method or "", prepared.url or "", headers=headers, content=_bytes(body))


def _bytes(value: Any) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else bytes(value)


def _response(answer: httpx.Response, prepared: PreparedRequest) -> schemathesis.Response:
    headers: dict[str, list[str]] = defaultdict(list)
    for name, value in answer.headers.multi_items():
        headers[name].append(value)
    return schemathesis.Response(
        answer.status_code, headers, answer.content, prepared, 0.0, verify=False, encoding=answer.encoding
    )
