"""What a user would pick instead, measured with the same model server on a machine of two cores (November 2026)."""

from collections.abc import Mapping

PEER = "Open WebUI 0.12.4"

# In the units of bench.figures. A figure that is no number is told in words.
FIGURES: Mapping[str, float | str] = {
    "start_first": 15.6,
    "start_second": 9.6,
    "memory_idle": 795,
    "memory_uploaded": "2,800 after 300 notes, two PDFs and 10 MB of text",
    "page_bytes": 2_900,
    "page_requests": 234,
    "page_interactive": 1.7,
    "page_foreign": 0,
    "first_v1_1": 12,
    "first_v1_10": 108,
    "first_v1_50": 506,
    "first_page_1": 31,
    "first_page_10": 347,
    "first_page_50": 1_462,
    "first_page_50_p95": 2_517,
    "delay_p50": "0.67 (browser's path)",
    "delay_p95": "2.6 (browser's path)",
    "delay_cpu": 0.6,
    "files_free": 7.2,
    "uploads_lost": "up to 18",
    "pdf_free": 33,
    "text_free": 58,
    "text_times": 2,
    "search_p50": 1_605,
    "search_found": "100 (vectors alone: 7.6 ms, 86 to 90 % found)",
}
