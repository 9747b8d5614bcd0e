"""The routes that answer without a credential, each with its reason. A test fails on any other that is not guarded."""

from collections.abc import Mapping
from typing import Final

PUBLIC: Final[Mapping[str, str]] = {
    "POST /v1/setup": "makes the first account; the one-time setup token is its credential",
    "POST /v1/auth/login": "makes the credential that the others ask for",
    "POST /v1/auth/reset": "takes a new password; the one-time link's token is its credential",
    "GET /v1/auth/oidc/login": "leads to the provider; tells which one there is, as its button does",
    "GET /v1/auth/oidc/callback": "takes the provider's proof, which is the credential, for the browser that began",
    "GET /v1/auth/forwarded": "takes a trusted proxy's word of who asks, which is the credential",
    "POST /auth/oidc/sign-out": "ends sessions by the provider's signed word, which is its credential",
    "GET /auth/form/token": "protects the sign-in form of somebody who is nobody yet; tells nothing",
    "POST /auth/form/setup": "the browser's form of POST /v1/setup, protected by double submit",
    "POST /auth/form/login": "the browser's form of POST /v1/auth/login, protected by double submit",
    "POST /auth/form/reset": "the browser's form of POST /v1/auth/reset, protected by double submit",
    "POST /auth/form/password": "checks the session's cookie and its own token, as a native form has to",
    "POST /auth/form/erase": "checks the session's cookie and its own token, as a native form has to",
    "GET /v1/erasures/{receipt_token}": "tells counts and names nobody; the receipt's token is its credential",
    "POST /auth/form/logout": "checks the session's own token; without a session there is nothing to end",
    "GET /health": "tells that the process answers, and nothing else",
    "GET /openapi.json": "describes the routes; the same for everybody",
    "GET /docs": "shows the description; the same for everybody",
    "GET /docs/{name}": "the fixed files of that page",
}
