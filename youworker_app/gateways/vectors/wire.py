"""How the server and the process of its embedded index speak over a pipe: two lengths, JSON, bytes.

JSON and plain numbers, not pickle: a frame can carry nothing but values, whatever stands in an index's files. Imports
the standard library alone, since the process is to stay small.

    request  {"id", "do", …}                                      + numbers for `upsert` and the searches
    reply    {"id", …} or {"id", "error": kind, "reason": text}   + numbers for `read`
"""

import json
import struct
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

FRAME = struct.Struct(">II")  # lengths of JSON and of bytes
FAILED, DAMAGED = "failed", "damaged"

_NUMBER_BYTES = 4


def pack(head: dict[str, Any], body: bytes = b"") -> bytes:
    """One frame."""
    text = json.dumps(head, separators=(",", ":")).encode()
    return FRAME.pack(len(text), len(body)) + text + body


@dataclass(frozen=True, slots=True)
class Row:
    """One point in plain values; `dense` has as many numbers as the index has dimensions."""

    chunk_id: str
    document_id: str
    visibility: list[str]
    dense: list[float]
    terms: list[int]
    weights: list[float]


def pack_rows(rows: Sequence[Row]) -> tuple[dict[str, Any], bytes]:
    """Head and body of a frame with these points: their vectors, then their terms, then the weights of these."""
    dense, terms, weights = array("f"), array("I"), array("f")
    for row in rows:
        dense.extend(row.dense)
        terms.extend(row.terms)
        weights.extend(row.weights)
    head = row_heads(
        [row.chunk_id for row in rows],
        [row.document_id for row in rows],
        [row.visibility for row in rows],
        [len(row.terms) for row in rows],
    )
    return head, dense.tobytes() + terms.tobytes() + weights.tobytes()


def row_heads(
    chunk_ids: list[str], document_ids: list[str], visibility: list[list[str]], terms: list[int]
) -> dict[str, Any]:
    """The head of a frame with points; `terms` says how many each one has."""
    return {"chunks": chunk_ids, "documents": document_ids, "visibility": visibility, "terms": terms}


def unpack_rows(head: dict[str, Any], body: bytes, dimension: int) -> Iterator[Row]:
    """The points of a frame."""
    counts, chunks = head["terms"], head["chunks"]
    split = len(chunks) * dimension * _NUMBER_BYTES
    dense, (terms, weights) = floats(body[:split]), sparse(body[split:])
    start = 0
    for number, count in enumerate(counts):
        yield Row(
            chunks[number],
            head["documents"][number],
            head["visibility"][number],
            dense[number * dimension : (number + 1) * dimension],
            terms[start : start + count],
            weights[start : start + count],
        )
        start += count


def floats(body: bytes) -> list[float]:
    """The numbers of a vector, or of several."""
    return array("f", body).tolist()


def sparse_body(terms: Sequence[int], weights: Sequence[float]) -> bytes:
    """Terms, then their weights."""
    return array("I", terms).tobytes() + array("f", weights).tobytes()


def sparse(body: bytes) -> tuple[list[int], list[float]]:
    """What `sparse_body` packed."""
    half = len(body) // 2
    return array("I", body[:half]).tolist(), array("f", body[half:]).tolist()
