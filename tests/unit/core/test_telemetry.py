"""What libraries write into the log: where and what kind, never what it was about."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from youworker_app.core.telemetry import configure_logging


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    made, configured = logging.getLogRecordFactory(), structlog.get_config()
    configure_logging()
    yield
    logging.setLogRecordFactory(made)
    structlog.configure(**configured)


@pytest.mark.parametrize(
    "name", ["reflex_base.event.processor", "reflex", "engineio.server", "socketio.server"]
)
def test_libraries_that_write_events_are_told_by_place(name: str, caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise KeyError("s3cret in an error")
    except KeyError:
        logging.getLogger(name).exception(
            "failed for %s", {"cookie": "s3cret in the arguments"}, stack_info=True
        )
    assert "s3cret" not in caplog.text
    assert "KeyError" in caplog.text
    assert name in caplog.text


def test_others_keep_their_words(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("granian").error("Unexpected exit from worker-%s", 1)
    assert "Unexpected exit from worker-1" in caplog.text
