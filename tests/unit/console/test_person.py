"""Who uses a command, and where the secret comes from."""

import io
import os
import sys
from pathlib import Path

import httpx
import pytest

from youworker_app.api.cookies import SESSION_COOKIE
from youworker_app.console.person import Credentials, Person, ask_who, signed_in
from youworker_app.console.problems import WRONG_USE, Problem

NOBODY = Person("", None)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("YOUWORKER_USER", "YOUWORKER_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO("from standard input\n"))


@pytest.mark.parametrize("written", ["s3cret word", "s3cret word\n", "s3cret word\r\nsecond line"])
def test_a_password_file_is_read_where_the_command_was_called(tmp_path: Path, written: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "pw").write_bytes(written.encode())
    assert ask_who(Person("marta", Path("pw")), tmp_path / "sub") == Credentials("marta", "s3cret word")


def test_a_dash_is_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUWORKER_USER", "marta")
    assert ask_who(Person("", Path("-")), tmp_path) == Credentials("marta", "from standard input")


def test_an_api_key_needs_no_name_and_is_not_handed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YOUWORKER_API_KEY", "key")
    assert ask_who(NOBODY, tmp_path) == Credentials("", "key")
    assert "YOUWORKER_API_KEY" not in os.environ


def test_a_name_that_is_given_counts_more_than_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUWORKER_API_KEY", "key")
    assert ask_who(Person("marta", Path("-")), tmp_path).user == "marta"


def test_the_terminal_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"typed after {prompt!r}")
    assert ask_who(Person("marta", None), tmp_path).secret == "typed after 'Password of marta: '"


@pytest.mark.parametrize(
    ("person", "sentence"),
    [
        (NOBODY, "Say who you are"),
        (Person("marta", None), "no terminal"),
        (Person("marta", Path("nowhere")), "No such file"),
        (Person("marta", Path("binary")), "it is not text"),
    ],
)
def test_what_lacks_is_told_as_wrong_use(tmp_path: Path, person: Person, sentence: str) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\0")
    with pytest.raises(Problem, match=sentence) as told:
        ask_who(person, tmp_path)
    assert told.value.code == WRONG_USE


def test_secrets_do_not_show() -> None:
    assert "s3cret" not in repr(Credentials("marta", "s3cret"))


async def test_a_session_ends_with_the_command_also_when_that_fails() -> None:
    seen: list[tuple[str, str | None, str | None]] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.path, request.headers.get("cookie"), request.headers.get("x-csrf-token")))
        return httpx.Response(
            200, json={"csrf_token": "t"}, headers={"set-cookie": f"{SESSION_COOKIE}=s; Path=/; HttpOnly"}
        )

    async def use() -> None:
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(handle), base_url="http://localhost") as client,
            signed_in(client, Credentials("marta", "secret")),
        ):
            await client.post("/v1/search")
            raise Problem("it failed")

    with pytest.raises(Problem):
        await use()
    known = (f"{SESSION_COOKIE}=s", "t")
    assert seen == [("/v1/auth/login", None, None), ("/v1/search", *known), ("/v1/auth/logout", *known)]
