"""What the server prints goes to a disk that is full: it starts, works and ends all the same."""

from pathlib import Path

import pytest

from tests.e2e.product import Product
from tests.e2e.test_cli import Client

pytestmark = pytest.mark.timeout(120)


def test_no_work_ends_for_it(tmp_path: Path) -> None:
    product = Product(tmp_path / "data", settings={"YOUWORKER_SERVER_LOG_LEVEL": "DEBUG"}).start()
    client = Client(product)
    assert product.stop() == 0
    log = tmp_path / "server.log"
    log.rename(tmp_path / "first.log")
    log.symlink_to("/dev/full")
    assert product.launch()
    try:
        document = client.upload("boiler.txt", "The boiler in the cellar is serviced in March.")
        client.wait(document)
        found = client.call("POST", "/v1/search", {"query": "When is the boiler serviced?"})
        assert [item["document_id"] for item in found["items"]] == [document]
        answer = client.call("POST", "/v1/chat", {"message": "When is the boiler serviced?"})
        assert answer["state"] == "complete"
        assert product.stop() == 0
    finally:
        product.end()
