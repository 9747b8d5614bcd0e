"""The command line and the starts that an administrator sees: what is refused says what to do, and doing it helps."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.product import ROOT, Product
from youworker_app.core.crypto import new_master_key

pytestmark = pytest.mark.timeout(240)
PASSWORD = "una lunga parola segreta"


class Client:
    """A script with an API key."""

    def __init__(self, product: Product) -> None:
        self.product = product
        token = product.setup_link().rpartition("=")[2]
        body = {"setup_token": token, "username": "marta", "password": PASSWORD}
        answer, cookie = self._call("POST", "/v1/setup", body, {})
        headers = {"Cookie": cookie.split(";")[0], "X-CSRF-Token": answer["csrf_token"]}
        scopes = ["documents:read", "documents:write", "chat:read", "chat:write"]
        key, _ = self._call("POST", "/v1/account/api-keys", {"name": "test", "scopes": scopes}, headers)
        self.headers = {"Authorization": f"Bearer {key['key']}"}

    def call(self, method: str, path: str, body: object = None) -> Any:
        return self._call(method, path, body, self.headers)[0]

    def upload(self, name: str, text: str) -> str:
        form = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n{text}\r\n--x--\r\n'
        headers = self.headers | {"Content-Type": "multipart/form-data; boundary=x"}
        request = urllib.request.Request(
            f"{self.product.url}/v1/ingest/upload", form.encode(), headers, method="POST"
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return str(json.load(answer)["items"][0]["document_id"])

    def wait(self, document_id: str, state: str = "ready") -> None:
        for _ in range(400):
            if self.call("GET", f"/v1/documents/{document_id}")["state"] == state:
                return
            time.sleep(0.05)
        raise AssertionError(self.call("GET", f"/v1/documents/{document_id}"))

    def found(self, question: str, document_id: str) -> list[str]:
        """The documents that a search names, once this one is among them: a damaged index is filled in the background."""
        for _ in range(400):
            answer = self.call("POST", "/v1/search", {"query": question})
            found = [str(item["document_id"]) for item in answer["items"]]
            if document_id in found:
                break
            time.sleep(0.05)
        return found

    def _call(self, method: str, path: str, body: object, headers: dict[str, str]) -> tuple[Any, str]:
        data = None if body is None else json.dumps(body).encode()
        sent = headers | ({"Content-Type": "application/json"} if data else {})
        request = urllib.request.Request(self.product.url + path, data, sent, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer), answer.headers.get("Set-Cookie", "")


def youworker(product: Product, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`youworker …` over the product's data folder."""
    return subprocess.run(
        [sys.executable, "-m", "youworker_app.cli", *arguments],
        cwd=ROOT,
        env=product.environment() | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_another_embedding_model_is_taken_up_without_a_word_from_anybody(
    tmp_path: Path, ollama_url: str
) -> None:
    product = Product(tmp_path / "installation" / "data").start()
    client = Client(product)
    document = client.upload("boiler.txt", "The boiler in the cellar is serviced in March.")
    client.wait(document)
    assert product.stop() == 0
    question = {"query": "When is the boiler serviced?"}

    product.settings = {"YOUWORKER_EMBEDDING_BACKEND": "ollama", "YOUWORKER_EMBEDDING_MODEL": "all-minilm"}
    product.ollama_url = ollama_url
    product.start()
    try:
        found = client.call("POST", "/v1/search", question)
        assert [item["document_id"] for item in found["items"]] == [document]
        vectors = product.data / "vectors"
        for _ in range(400):
            left = sorted(path.name for path in vectors.iterdir())
            if left == ["2", "lock"]:
                break
            time.sleep(0.05)
        assert left == ["2", "lock"]
        found = client.call("POST", "/v1/search", question)
        assert [item["document_id"] for item in found["items"]] == [document]
    finally:
        product.end()


@pytest.mark.parametrize("by", ["a start", "the command where no server runs"])
def test_a_damaged_index_is_rebuilt(tmp_path: Path, by: str) -> None:
    product = Product(tmp_path / "installation" / "data").start()
    client = Client(product)
    document = client.upload("boiler.txt", "The boiler in the cellar is serviced in March.")
    client.wait(document)
    assert product.stop() == 0
    (product.data / "vectors" / "index.json").write_text("damaged")
    if by != "a start":
        done = youworker(product, "vectors", "reindex")
        assert (done.returncode, done.stderr) == (0, "")
    product.start()
    try:
        assert client.found("When is the boiler serviced?", document) == [document]
        client.wait(document)
    finally:
        product.end()
    assert product.log.count("index_damaged") == (by == "a start")


def test_a_second_server_on_one_data_folder_is_refused(tmp_path: Path) -> None:
    product = Product(tmp_path / "installation" / "data").start()
    second = Product(product.data)
    try:
        with pytest.raises(AssertionError, match="Another YouWorker is running on the data folder"):
            second.start()
    finally:
        product.end()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"YOUWORKER_SECURITY_MASTER_KEYS": "changeme"}, "Make one with"),
        ({"YOUWORKER_SERVER_PORT": "http"}, "YOUWORKER_SERVER_PORT"),
        ({"YOUWORKER_STORAGE_DATA_DIR": "/proc/nowhere"}, "YOUWORKER_STORAGE_DATA_DIR"),
    ],
)
def test_a_start_that_cannot_be_says_why_and_ends(
    tmp_path: Path, settings: dict[str, str], sentence: str
) -> None:
    product = Product(tmp_path / "installation" / "data", settings=settings)
    with pytest.raises(AssertionError) as refused:
        product.start()
    assert sentence in str(refused.value)
    assert "Traceback" not in str(refused.value)
    assert "changeme" not in str(refused.value)


def test_a_wrong_master_key_is_told_at_the_first_start_with_it(tmp_path: Path) -> None:
    product = Product(tmp_path / "installation" / "data").start()
    Client(product)
    product.stop()
    product.settings = {"YOUWORKER_SECURITY_MASTER_KEYS": new_master_key()}
    with pytest.raises(AssertionError, match="master key"):
        product.start()


def test_a_killed_server_goes_on_where_it_was(tmp_path: Path) -> None:
    product = Product(tmp_path / "installation" / "data").start()
    client = Client(product)
    text = "\n\n".join(f"Paragraph {n}. Pump P-{n} stands in hall {n}. " * 8 for n in range(400))
    document = client.upload("long.txt", text)
    for _ in range(400):
        if client.call("GET", f"/v1/documents/{document}")["progress"] > 0.3:
            break
        time.sleep(0.02)
    worker = product.worker()
    product.stop(signal.SIGKILL)
    wait_for_end(worker)
    product.start()
    try:
        client.wait(document)
        found = client.call("POST", "/v1/search", {"query": "Where does pump P-377 stand?", "limit": 3})
        assert any("P-377" in item["text"] for item in found["items"])
    finally:
        product.end()


def test_the_command_line_explains_itself(tmp_path: Path) -> None:
    product = Product(tmp_path / "installation" / "data")
    shown = youworker(product, "--help")
    assert shown.returncode == 0
    assert "vectors" in shown.stdout


def wait_for_end(process: int) -> None:
    """A worker does not outlive its supervisor: as an orphan it would keep the port and the data folder."""
    for _ in range(500):
        if not Path(f"/proc/{process}/cmdline").exists() or not Path(f"/proc/{process}/cmdline").read_bytes():
            return
        time.sleep(0.02)
    raise AssertionError("the worker is still there")
