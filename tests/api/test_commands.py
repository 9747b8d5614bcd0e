"""Commands in this process, over an installation with in-memory gateways: every option, and what people read.

Real processes and a real server are in tests/e2e/test_commands.py.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, chdir
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from tests.people import PASSWORD, QUICK_HASHER
from youworker_app import cli
from youworker_app.accounts.schemas import Carrier, Client, CreateUser, Credential
from youworker_app.core import registry
from youworker_app.core.keys import DataKeys
from youworker_app.core.local_socket import SERVER_SOCKET, LocalSocket
from youworker_app.core.ownership import DataFolder
from youworker_app.core.settings import Settings
from youworker_app.gateways.blobs.memory import MemoryBlobStore
from youworker_app.gateways.embeddings.memory import InMemoryEmbedder
from youworker_app.gateways.llm.scripted import NoModel
from youworker_app.gateways.parsing.parser import LocalParser
from youworker_app.gateways.vectors.memory import MemoryVectorStore
from youworker_app.groups.schemas import CreateGroup
from youworker_app.local import served_locally
from youworker_app.rest import build_local
from youworker_app.wiring import Gateways, Installation


class Place:
    """An installation that each command opens, and its people: marta, with the group Legal, and otto."""

    def __init__(self, folder: Path, keys: DataKeys) -> None:
        self.folder, self._keys = folder, keys
        self._lasting = Gateways(
            MemoryBlobStore(), MemoryVectorStore(), InMemoryEmbedder(), NoModel(), LocalParser()
        )
        self._has_people = False
        self.loses: set[str] = set()
        self.opened_index: list[bool] = []

    @asynccontextmanager
    async def open_alone(self, settings: Settings, opens_index: bool) -> AsyncIterator[Path]:
        self.opened_index.append(opens_index)
        gateways = replace(self._lasting, parser=LocalParser())
        installation = Installation(settings, gateways, self._keys, hasher=QUICK_HASHER)
        try:
            token = await installation.start(opens_index=opens_index)
            await self._invite(installation, token)
            if self.loses:
                await installation.maintenance.open()
                stored = await gateways.vectors.count_by_document()
                for document_id in self.loses & stored.keys():
                    await gateways.vectors.delete_document(document_id)
            socket = LocalSocket(self.folder)
            async with served_locally(build_local(installation.stopping), socket):
                yield self.folder / SERVER_SOCKET
        finally:
            await installation.stop()
            registry.clear()

    async def _invite(self, installation: Installation, token: str | None) -> None:
        if self._has_people or token is None:
            return
        self._has_people = True
        accounts = installation.accounts
        signed = await accounts.set_up(token, "marta", PASSWORD, Client())
        marta = await accounts.authenticate(Credential(Carrier.COOKIE, signed.token))
        await installation.people.create_user(marta, CreateUser("otto", PASSWORD))
        await installation.groups.create_group(marta, CreateGroup("Legal"))

    def call(self, *arguments: object, user: str = "marta") -> tuple[int, str, str]:
        """(exit code, standard output, standard error)."""
        who = (
            ["--user", user, "--password-file", "-"]
            if {"ingest", "search", "export", "users"} & {*arguments[:2]}
            else []
        )
        with (
            chdir(self.folder / "called"),
            capture_logs(),
        ):  # which go to standard output where nobody has configured them
            done = CliRunner().invoke(cli.app, [*map(str, arguments), *who], input=PASSWORD + "\n")
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def place(tmp_path: Path, keys: DataKeys, monkeypatch: pytest.MonkeyPatch) -> Place:
    data = tmp_path / "data"
    DataFolder(data).own().release()
    monkeypatch.setenv("YOUWORKER_STORAGE_DATA_DIR", str(data))
    monkeypatch.setattr(cli, "PROJECT_ROOT", tmp_path)
    (tmp_path / "called").mkdir()
    for name, text in (
        ("lease.txt", "The lease ends in 2031."),
        ("boiler.txt", "The boiler is serviced in May."),
    ):
        (tmp_path / "called" / name).write_text(text)
    place = Place(tmp_path, keys)
    monkeypatch.setattr(cli, "open_alone", place.open_alone)
    return place


def test_files_go_in_and_are_found_by_whom_they_are_for(place: Place) -> None:
    sent = place.call(
        "ingest", "lease.txt", "boiler.txt", "--group", "Legal", "--tag", "2031", "--collection", "home"
    )
    assert sent == (0, "ready   lease.txt\nready   boiler.txt\n", "2 files: 2 ready.\n")
    code, shown, told = place.call("search", "When does the lease end?", "--group", "Legal", "--limit", 1)
    assert (code, told) == (0, "")
    assert shown == " 1  1.00  lease.txt, 1\n    The lease ends in 2031.\n"
    assert place.call("search", "When does the lease end?", user="otto") == (
        0,
        "",
        "Nothing found that you can see.\n",
    )
    nobodys = place.call("search", "lease", "--group", "Legal", user="otto")
    assert nobodys == (1, "", "You are in no group named Legal. Your groups: none.\n")


def test_what_is_private_in_a_group_and_what_need_not_be_waited_for(place: Place) -> None:
    code, line, _ = place.call("ingest", "lease.txt", "--group", "Legal", "--private", "--no-wait", "--json")
    record = json.loads(line)
    assert (code, record["file"], record["state"], record["error"]) == (0, "lease.txt", "sent", None)
    again = place.call("ingest", "lease.txt", "--group", "Legal", "--private")
    assert again == (0, "known   lease.txt  (already there)\n", "")
    # Not private it is another document of the group, not the same one.
    assert place.call("ingest", "lease.txt", "--group", "Legal")[1] == "ready   lease.txt\n"


def test_a_damaged_index_is_told_and_mended(place: Place) -> None:
    _, line, _ = place.call("ingest", "lease.txt", "--json")
    place.loses = {json.loads(line)["document_id"]}
    code, shown, told = place.call("vectors", "check")
    assert (code, told) == (1, "Put it right with: youworker vectors check --repair\n")
    assert shown.endswith("Found:\n       1  documents of which nothing is in the index\n")
    code, shown, _ = place.call("vectors", "check", "--repair")
    assert code == 0
    assert "Repaired:\n       1  documents are embedded again\n" in shown
    place.loses = set()
    assert place.call("search", "When does the lease end?")[0] == 0
    assert place.call("vectors", "check")[1].startswith("All is well: 1 documents, ")
    assert place.call("vectors", "reindex")[1] == "The search index is rebuilt: 1 documents.\n"
    assert json.loads(place.call("vectors", "reindex", "--json")[1].splitlines()[-1])["is_done"] is True
    # Who mends the index finds it as it is: opening it would mend it already.
    assert place.opened_index == [True, False, False, True, False, False, False]


def test_the_audit_trail_is_verified_exported_and_retired(place: Place) -> None:
    assert place.call("search", "lease")[0] == 0
    code, line, _ = place.call("audit", "verify", "--json")
    report = json.loads(line)
    assert (code, report["is_intact"], report["unsealed"]) == (0, True, 0)
    size = f"{report['events']} events in {report['blocks']} blocks, 0 not sealed yet"
    anchor = f"{report['last_block']}:{report['last_mac']}"
    told = f"The audit trail is as it was written: {size}.\nIts last block is {anchor}\n"
    assert place.call("audit", "verify", "--anchor", anchor) == (0, told, "")
    assert report["events"] >= 4
    code, shown, _ = place.call("audit", "verify", "--anchor", f"9000:{report['last_mac']}")
    broken = "The audit trail is broken: Blocks at the end are gone.\nFirst at block 9000\n"
    assert (code, shown) == (1, broken)
    assert place.call("audit", "verify", "--anchor", "nonsense")[0] == 2
    assert place.call("audit", "retire", "--days", 1)[1] == "Retired: 0 events in 0 blocks.\n"
    assert json.loads(place.call("audit", "retire", "--days", 1, "--json")[1]) == {"blocks": 0, "events": 0}
    exported = place.call("audit", "export", "trail.csv", "--action", "user")
    assert exported == (0, "2 events are in trail.csv.\n", "")
    lines = (place.folder / "called" / "trail.csv").read_text().splitlines()
    assert [line.split(",")[5] for line in lines] == ["action", "user.created", "user.created"]
    again = place.call("audit", "export", "trail.csv")
    assert again == (2, "", f"{place.folder / 'called' / 'trail.csv'} cannot be written: File exists.\n")
    stranger = place.call("audit", "export", "other.csv", user="otto")
    assert stranger == (1, "", "Only the installation's administrator can do this.\n")
    assert not (place.folder / "called" / "other.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("ingest", "nowhere.txt"), 2, "There is no file or folder nowhere.txt.\n"),
        (
            ("search", "x", "--group", "Plumbers"),
            1,
            "You are in no group named Plumbers. Your groups: Legal.\n",
        ),
        (("search", "lease " * 20_000), 1, "The question has 120000 characters"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(
    place: Place, arguments: tuple[str, ...], code: int, sentence: str
) -> None:
    done, shown, told = place.call(*arguments)
    assert (done, shown) == (code, "")
    assert sentence in told
    assert len(told.splitlines()) == 1


def test_a_wrong_setting_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUWORKER_SERVER_PORT", "s3cret")
    code, _, told = place.call("vectors", "check")
    assert code == 1
    assert told.startswith("A setting is wrong. YOUWORKER_SERVER_PORT: ")
    assert "s3cret" not in told


def test_people_are_looked_after(place: Place) -> None:
    assert place.call("users", "list") == (0, "marta  (administrator)\notto\n", "")
    code, link, told = place.call("users", "add", "Carla Rossi")
    assert (code, told) == (0, "Give this link to Carla Rossi alone. It opens once, within a day.\n")
    assert link.startswith("http://127.0.0.1:8000/reset?token=")
    for command, sentence in (
        ("suspend", "otto is suspended.\n"),
        ("restore", "otto is restored.\n"),
        ("promote", "otto is an administrator.\n"),
        ("demote", "otto is no administrator any more.\n"),
    ):
        assert place.call("users", command, "OTTO") == (0, sentence, "")
    made = json.loads(place.call("users", "reset", "otto", "--json")[1])
    assert made["link"].endswith(made["token"])
    listed = [json.loads(line) for line in place.call("users", "list", "--json")[1].splitlines()]
    assert [(each["username"], each["has_password"]) for each in listed] == [
        ("marta", True),
        ("otto", True),
        ("Carla Rossi", False),
    ]
    assert place.call("users", "remove", "carla rossi", "--yes") == (0, "Carla Rossi is removed.\n", "")
    assert place.call("users", "list")[1] == "marta  (administrator)\notto\n"


@pytest.mark.parametrize(
    ("arguments", "user", "sentence"),
    [
        (("list",), "otto", "Only the installation's administrator can do this.\n"),
        (("suspend", "mar"), "marta", "There is nobody named mar.\n"),
        (("add", "otto"), "marta", "This user name is taken. Choose another.\n"),
        (
            ("demote", "marta"),
            "marta",
            "You are the only administrator who can sign in. Make somebody else an administrator first.\n",
        ),
    ],
)
def test_what_cannot_be_done_with_people_is_told(
    place: Place, arguments: tuple[str, ...], user: str, sentence: str
) -> None:
    assert place.call("users", *arguments, user=user) == (1, "", sentence)


def test_nobody_is_removed_without_a_yes(place: Place) -> None:
    assert place.call("users", "remove", "otto")[0] == 1
    assert place.call("users", "list")[1] == "marta  (administrator)\notto\n"
