"""Structured logs, the correlation id, and where a request comes from.

An event is a name and fields, never a sentence with values in it.
"""

import io
import logging
import sys
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, TextIO

import structlog

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
# Where a request comes from, as far as that can be believed; empty for the product's own work.
client_address: ContextVar[str] = ContextVar("client_address", default="")

# Fields that could carry what people wrote, or a secret: dropped wherever they appear.
_NEVER = frozenset(
    {"password", "token", "secret", "key", "authorization", "cookie", "content", "text", "message"}
)
_TALKATIVE = frozenset({"reflex", "reflex_base", "engineio", "socketio"})


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose calls look like `log.info("document_ready", document_id=…, ms=…)`."""
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger


def configure_logging(*, level: str = "INFO", as_json: bool = False) -> None:
    """Sends structured logs to standard error; called once by the launcher."""
    renderer: Any = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_correlation,
            _drop_sensitive,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(file=Unfailing(sys.stderr)),
        cache_logger_on_first_use=True,
    )
    logging.setLogRecordFactory(_without_content)


class Unfailing(io.TextIOBase, TextIO):
    """A stream for logs. What it leads to may be a full disk or a pipe without a reader: no work ends for it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def _without_content(*arguments: Any, **named: Any) -> logging.LogRecord:
    """A library's record told by its place alone: what they write holds whole events, with the cookie and what was typed."""
    record = logging.LogRecord(*arguments, **named)
    if record.name.partition(".")[0] in _TALKATIVE and record.levelno >= logging.WARNING:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else ""
        record.msg = f"{record.name} {record.funcName}:{record.lineno} {kind}".rstrip()
        record.args = record.exc_info = record.exc_text = record.stack_info = None
    return record


def _add_correlation(_: Any, __: str, event: Any) -> Any:
    if current := correlation_id.get():
        event.setdefault("correlation_id", current)
    return event


def _drop_sensitive(_: Any, __: str, event: Any) -> Any:
    for field in _NEVER & event.keys():
        event[field] = "[removed]"
    return event
