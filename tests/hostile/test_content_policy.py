"""No answer lets a script run that is not the installation's: pages, API, errors, downloads and previews alike."""

import re
from typing import Final

import httpx
import pytest

from tests.files import pdf_of
from tests.web import Person, Web
from youworker_app.api.inventory import entries
from youworker_app.api.middleware import OuterPolicy, security_headers
from youworker_app.frontend import BUILD_DIR, read_script_hashes, script_hashes

ALLOWED: Final = re.compile(r"'(self|none|sha256-[A-Za-z0-9+/]{43}=)'")
BUILT: Final = sorted((BUILD_DIR / "client").rglob("*.html"))


def may_run(policy: str) -> list[str]:
    """The sources that scripts may come from, which are those of everything where nothing is said of scripts."""
    found = [part.strip().partition(" ") for part in policy.split(";")]
    named = {
        name.lower(): sources.split() for name, _, sources in reversed(found)
    }  # the first of a name counts
    return named.get("script-src", named.get("default-src", ["anything"]))


def assert_closed(answer: httpx.Response) -> None:
    policies = answer.headers.get_list("content-security-policy")
    assert len(policies) == 1, answer.url
    sources = may_run(policies[0])
    assert sources, answer.url
    assert all(ALLOWED.fullmatch(source) for source in sources), (answer.url, sources)
    assert answer.headers["x-content-type-options"] == "nosniff", answer.url


@pytest.mark.parametrize(
    "policy",
    [
        "default-src 'self'; script-src 'self' 'unsafe-inline'",
        "script-src 'unsafe-eval'",
        "default-src *",
        "script-src 'self' https://cdn.example",
        "script-src data:",
        "img-src 'self'",
        "script-src 'unsafe-inline'; script-src 'self'",
    ],
)
def test_an_open_policy_would_be_seen(policy: str) -> None:
    assert not all(ALLOWED.fullmatch(source) for source in may_run(policy))


async def test_every_route_answers_with_a_closed_policy(web: Web) -> None:
    anna = await web.person("anna")
    nobody = await web.client()
    for entry in entries(web.api.routes):
        path = re.sub(r"\{\w+\}", "1", entry.path)
        for who in (anna.http, nobody):
            assert_closed(await who.request(entry.method, path))


async def test_refusals_of_the_outer_checks_have_it_too(web: Web) -> None:
    client = await web.client()
    for path, headers in (
        ("/", {"Host": "evil.example"}),
        ("/v1/search", {"Origin": "https://evil.example"}),
        ("/_upload/x.html", {}),
        ("/v1/none", {}),
    ):
        answer = await client.post(path, headers=headers)
        assert answer.status_code >= 400
        assert_closed(answer)


async def test_what_people_upload_may_run_nothing_at_all(web: Web) -> None:
    anna = await web.person("anna")
    script = b"<!doctype html><script>alert(1)</script> words"
    for name, content in (("evil.txt", script), ("evil.md", script), ("page.pdf", pdf_of(["words"]))):
        file_id = await stored(web, anna, name, content)
        download = await anna.http.get(f"/v1/files/{file_id}/download")
        assert download.status_code == 200
        assert download.headers["content-disposition"].startswith("attachment")
        assert "html" not in download.headers["content-type"]
        assert_runs_nothing(download)
        part = await anna.http.get(f"/v1/files/{file_id}/download", headers={"Range": "bytes=0-5"})
        assert part.status_code == 206
        assert_runs_nothing(part)
        if name == "page.pdf":
            picture = await anna.http.get(f"/v1/files/{file_id}/pages/1.png")
            assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
            assert_runs_nothing(picture)


async def stored(web: Web, person: Person, name: str, content: bytes) -> str:
    item = (await person.upload(content, name)).json()["items"][0]
    await web.ready()
    document = (await person.http.get(f"/v1/documents/{item['document_id']}")).json()
    return str(document["file_id"])


def assert_runs_nothing(answer: httpx.Response) -> None:
    assert_closed(answer)
    assert may_run(answer.headers["content-security-policy"]) == ["'none'"]
    assert "sandbox" in answer.headers["content-security-policy"]


@pytest.mark.skipif(not BUILT, reason="the front end is not built: make build")
@pytest.mark.parametrize("page", BUILT, ids=lambda page: page.relative_to(BUILD_DIR).as_posix())
def test_every_built_page_runs_under_the_policy_that_it_is_served_with(page: object) -> None:
    text = page.read_text("utf-8")  # type: ignore[attr-defined]
    policy = OuterPolicy(script_hashes=read_script_hashes())
    served = dict(security_headers(policy.script_hashes, "127.0.0.1:8000"))["content-security-policy"]
    sources = may_run(served)
    assert all(ALLOWED.fullmatch(source) for source in sources)
    assert {f"'{each}'" for each in script_hashes(text)} <= set(sources)
    # What no hash can allow: handlers in attributes, and scripts of other hosts.
    assert not re.search(r"<[^>]+\son\w+\s*=", text)
    assert not re.search(r"<script[^>]+src=[\"']?(https?:)?//", text)
