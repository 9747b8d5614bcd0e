"""What is measured, in which unit, and what is asked of it. Owns the lines of the table; measures nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Line:
    """A line of the table. `asked` None: told, not asked for. `at_least`: more is better."""

    text: str
    unit: str
    asked: float | None = None
    at_least: bool = False


@dataclass(frozen=True)
class Figure:
    """What was reached on a line; `detail` is kept beside it in the JSON."""

    name: str
    value: float
    detail: Mapping[str, object] = field(default_factory=dict)


LINES: Mapping[str, Line] = {
    "start_second": Line("second start to the first 200", "s", 3),
    "start_first": Line("first start of a new folder to the first 200", "s"),
    "memory_idle": Line("idle memory before the first upload", "MB", 200),
    "memory_idle_summed": Line("… shared pages counted for each process", "MB"),
    "memory_uploaded": Line("idle memory after an upload, built-in embedder", "MB", 400),
    "memory_uploaded_summed": Line("… shared pages counted for each process", "MB"),
    "memory_chunk": Line("memory for each further chunk, after the first 3,800", "KB", 4),
    "page_bytes": Line("cold page, over the wire", "kB", 700),
    "page_requests": Line("cold page, requests", "", 40),
    "page_interactive": Line("cold page, interactive", "s", 1),
    "page_foreign": Line("cold page, requests to another host", "", 0),
    "first_v1_1": Line("first token over the model server alone, /v1/chat, 1 at once", "ms", 10),
    "first_v1_10": Line("… 10 at once", "ms", 30),
    "first_v1_50": Line("… 50 at once", "ms", 150),
    "first_page_1": Line("first token over the model server alone, browser's path, 1 at once", "ms", 15),
    "first_page_10": Line("… 10 at once", "ms", 50),
    "first_page_50": Line("… 50 at once", "ms", 200),
    "first_page_50_p95": Line("… 50 at once, p95", "ms"),
    "first_chromium": Line("the same in Chromium, from the key to the answer's first word on screen", "ms"),
    "retrieval_added": Line("added to the first token by retrieval over 13,000 chunks", "ms", 10),
    "delay_p50": Line("delay a token at 50 streams, /v1 path, p50", "ms", 1),
    "delay_p95": Line("… p95", "ms", 5),
    "delay_cpu": Line("… processor, share of one core", ""),
    "files_free": Line("100 files of 2 KB to searchable, 4 at once, free embedder", "s", 1.5),
    "files_builtin": Line("… built-in embedder", "s", 6),
    "uploads_lost": Line("16 uploads at once, 100 files: lost", "", 0),
    "uploads_doubled": Line("… doubled", "", 0),
    "pdf_free": Line("1,158-page text PDF to searchable, free embedder", "s", 6),
    "pdf_builtin": Line("… built-in embedder", "s", 60),
    "text_free": Line("10 MB of text to searchable, free embedder", "s", 11),
    "text_quick": Line("2 MB of text to searchable, free embedder (in a quick run)", "s"),
    "text_times": Line("… how often each text was embedded", "", 1),
    "search_p50": Line("hybrid search at 13,000 chunks, p50", "ms", 8),
    "search_p95": Line("… p95", "ms", 20),
    "search_found": Line("… needles found in the first five", "%", 100, at_least=True),
    "search_100k": Line("search at 100,000 chunks, widest filter, p95", "ms", 30),
    "search_1m": Line("search at 1,000,000 chunks, widest filter, p95", "ms", 100),
    "guard_p50": Line("rate limits and outer checks, added to a request, p50", "ms", 2),
    "guard_whole": Line("… the whole request with them, p50", "ms"),
    "trail_verified": Line("verifying 1,000,000 events of the audit trail", "s"),
    "trail_quick": Line("verifying 100,000 events of the audit trail (in a quick run)", "s"),
    "trail_memory": Line("… memory that grows with it, from its first tenth to its end", "MB", 20),
    "chat_busy": Line("first token while ingestion runs at full load, times its idle figure", "", 2),
}


def is_reached(line: Line, value: float) -> bool | None:
    """None where nothing is asked."""
    if line.asked is None:
        return None
    return value >= line.asked if line.at_least else value <= line.asked
