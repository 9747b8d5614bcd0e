"""A PDF's objects, read by pypdf: rebuilds files that pdfium refuses, and reads what a file says of itself.

Runs in the reader's child process alone, and is imported there only when asked: the import takes as long as the child's
whole start. Decides nothing about text and pictures; those are pdfium's.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO

from pypdf import PasswordType, PdfReader, PdfWriter
from pypdf.errors import PyPdfError
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NullObject,
    NumberObject,
    StreamObject,
)

LONGEST_RESCUED = 64 * 1024 * 1024  # bytes; a rescue holds the file some five times
# What pypdf raises over bytes that nobody vouches for, beside its own errors. MemoryError is not among them.
_FAULTS = (
    PyPdfError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
# Says "no table at 0": pypdf then looks for the objects themselves. It also ends a file whose end was cut off.
_NEW_END = b"\ntrailer\n<< /Size 1 >>\nstartxref\n0\n%%EOF\n"
_HEADER = b"%PDF-"
_LONGEST_VALUE = 2_000  # characters
_CONTENT = ("/Contents", "/Resources")
_OBJECT, _OBJECT_END = re.compile(rb"(\d{1,10})\s+(\d{1,5})\s+obj\b"), b"endobj"


class PasswordNeeded(Exception):
    """The file is damaged, and behind a password besides."""


def rescued(data: bytes) -> bytes | None:
    """The file with a structure made anew from the objects in it, always the same for the same bytes.

    None when it cannot be done, and when a part that any page shows is missing: half a document would answer questions
    wrongly without anybody knowing. Raises PasswordNeeded.
    """
    if len(data) > LONGEST_RESCUED:
        return None
    try:
        reader = PdfReader(BytesIO(data[max(0, data.find(_HEADER)) :] + _NEW_END), strict=False)
        if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
            raise PasswordNeeded
        if not _give_root(reader) or not _is_whole(reader, _cut_off(data)):
            return None
        out = BytesIO()
        PdfWriter(clone_from=reader).write(out)
    except _FAULTS:
        return None
    return out.getvalue()


def read_metadata(data: bytes) -> dict[str, str]:
    """What there is of title, author and producer, as the file has them, and of creation_date (ISO 8601)."""
    found: dict[str, str] = {}
    try:
        info = PdfReader(BytesIO(data), strict=False).metadata
    except _FAULTS:
        return found
    for key in ("title", "author", "producer", "creation_date"):
        try:
            value = getattr(info, key, None)
        except _FAULTS:
            continue
        if value:
            found[key] = value.isoformat() if isinstance(value, datetime) else str(value)[:_LONGEST_VALUE]
    return found


def _give_root(reader: PdfReader) -> bool:
    """Points the trailer to the catalogue. Not left to pypdf, which searches the whole file for each missing number."""
    references = list(_objects(reader))
    root = reader.trailer.raw_get("/Root") if "/Root" in reader.trailer else None
    # Where changes were appended, the last catalogue holds.
    found = next(filter(_is_catalogue, [root, *reversed(references)]), None)
    if found is None:
        return False
    reader.trailer[NameObject("/Root")] = found
    reader.trailer[NameObject("/Size")] = NumberObject(
        max((each.idnum for each in references), default=0) + 1
    )
    # A lock without the trailer that names it: what it locks would be taken for text.
    return "/Encrypt" in reader.trailer or not any(map(_is_lock, references))


def _cut_off(data: bytes) -> set[int]:
    """Numbers of the objects that begin and do not end: of a dictionary or a stream pypdf takes as much as there is."""
    rest = data[data.rfind(_OBJECT_END) + 1 :]
    return {int(found[1]) for found in _OBJECT.finditer(rest)}


def _is_whole(reader: PdfReader, cut_off: set[int]) -> bool:
    """Whether all pages that are promised are there, with everything that they show."""
    pages = list(reader.pages)
    promised = _dictionary(reader.root_object.get("/Pages")).get("/Count")
    if not pages or (isinstance(promised, int) and promised > len(pages)):
        return False
    if not all(_is_content(page.get("/Contents")) for page in pages):
        return False
    parts: list[object] = [page.raw_get(key) for page in pages for key in _CONTENT if key in page]
    seen: set[tuple[int, int]] = {
        (page.indirect_reference.idnum, 0) for page in pages if page.indirect_reference
    }
    while parts:
        part = parts.pop()
        if isinstance(part, IndirectObject):
            place = (part.idnum, part.generation)
            if place in seen:
                continue
            seen.add(place)
            part = part.get_object()
            if part is None:
                return False
        if isinstance(part, DictionaryObject):
            parts.extend(dict.values(part))
        elif isinstance(part, ArrayObject):
            parts.extend(list.__iter__(part))
    holders = {reader.xref_objStm[number][0] for number, _ in seen if number in reader.xref_objStm}
    return cut_off.isdisjoint({number for number, _ in seen} | holders)


def _is_content(found: object) -> bool:
    """Whether this is what a page may show: nothing, a stream, or several."""
    if isinstance(found, IndirectObject):
        found = found.get_object()
    if isinstance(found, ArrayObject):
        return all(map(_is_content, list.__iter__(found)))
    return found is None or isinstance(found, NullObject | StreamObject)


def _objects(reader: PdfReader) -> Iterator[IndirectObject]:
    """All objects of a file: those that lie in it directly by their place, then those that are packed in others."""
    places = [
        (offset, number, generation)
        for generation, numbers in reader.xref.items()
        for number, offset in numbers.items()
    ]
    for _, number, generation in sorted(places):
        yield IndirectObject(number, generation, reader)
    for number in sorted(reader.xref_objStm):
        yield IndirectObject(number, 0, reader)


def _is_catalogue(reference: object) -> bool:
    found = _dictionary(reference)
    return found.get("/Type") == "/Catalog" and "/Pages" in found


def _is_lock(reference: object) -> bool:
    found = _dictionary(reference)
    return "/Filter" in found and ("/U" in found or "/Recipients" in found)


def _dictionary(reference: object) -> DictionaryObject:
    """What a reference leads to; empty when that is no dictionary or is broken."""
    try:
        found = reference.get_object() if isinstance(reference, IndirectObject) else reference
    except _FAULTS:
        found = None
    return found if isinstance(found, DictionaryObject) else DictionaryObject()
