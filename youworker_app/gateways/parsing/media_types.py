"""The type of a file by its content; the name only tells markdown from plain text, and a broken promise."""

import re

from youworker_app.gateways.parsing.errors import (
    EmptyFile,
    TypeComesLater,
    TypeMislabelled,
    TypeRefused,
    TypeUnknown,
)
from youworker_app.gateways.parsing.text_decoding import NotText, decode_text

PDF = "application/pdf"
PLAIN_TEXT = "text/plain"
MARKDOWN = "text/markdown"
SNIFF_BYTES = 8 * 1024

# Where a signature begins, its bytes, what it is called. The first could begin a text as well ("MZ S.p.A. è …"):
# they count only for what is no text.
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"MZ", "Windows EXE"),
    (0, b"\x7fELF", "Linux ELF"),
    (0, b"\xcf\xfa\xed\xfe", "macOS Mach-O"),
    (0, b"\xce\xfa\xed\xfe", "macOS Mach-O"),
    (0, b"\xca\xfe\xba\xbe", "Java class / Mach-O"),
    (0, b"\x00asm", "WebAssembly"),
    (0, b"Rar!\x1a\x07", "RAR"),
    (0, b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (0, b"\x1f\x8b", "GZIP"),
    (0, b"BZh", "BZIP2"),
    (0, b"\xfd7zXZ\x00", "XZ"),
    (0, b"\x28\xb5\x2f\xfd", "Zstandard"),
    (257, b"ustar", "TAR"),
    (0, b"SQLite format 3\x00", "SQLite"),
    (0, b"ID3", "MP3"),
    (0, b"OggS", "OGG"),
    (0, b"fLaC", "FLAC"),
    (8, b"WAVE", "WAV"),
    (8, b"AVI ", "AVI"),
    (4, b"ftyp", "MP4 / HEIC"),
    (0, b"\x1aE\xdf\xa3", "Matroska / WebM"),
    (0, b"BM", "BMP"),
)
_LATER_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (0, b"II*\x00", "TIFF"),
    (0, b"MM\x00*", "TIFF"),
    (8, b"WEBP", "WebP"),
    (0, b"{\\rtf", "RTF"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Microsoft Office (.doc, .xls, .ppt)"),
)
_ZIPPED: tuple[tuple[bytes, str], ...] = (
    (b"word/", "Microsoft Word (.docx)"),
    (b"xl/", "Microsoft Excel (.xlsx)"),
    (b"ppt/", "Microsoft PowerPoint (.pptx)"),
    (b"opendocument.text", "OpenDocument (.odt)"),
    (b"opendocument.spreadsheet", "OpenDocument (.ods)"),
    (b"opendocument.presentation", "OpenDocument (.odp)"),
    (b"epub+zip", "EPUB"),
)
_ZIP_ENTRY = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"

# A name that promises one of these, over plain text, is a mistake that the person should hear of.
_NOT_TEXT_NAMES = frozenset(
    {"pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp", "rtf", "epub"}
    | {
        "png",
        "jpg",
        "jpeg",
        "gif",
        "webp",
        "tif",
        "tiff",
        "zip",
        "gz",
        "7z",
        "rar",
        "exe",
        "dll",
        "mp3",
        "mp4",
        "wav",
    }
)
_MARKDOWN_NAMES = frozenset({"md", "markdown"})
_PDF_MARK = b"%PDF-"
_BURIED_PDF = re.compile(rb"[\r\n]%PDF-\d\.\d")
_PDF_OBJECT = re.compile(rb"\b\d{1,10}\s{1,4}\d{1,5}\s{1,4}obj\b")
_PDF_SEARCH_BYTES = 1024
_BLANKS = b"\xef\xbb\xbf\r\n\t\f\v \x00"


def detect_media_type(head: bytes, filename: str, *, is_complete: bool = True) -> str:
    """PDF, PLAIN_TEXT or MARKDOWN for a file that begins with `head`: all of it, or SNIFF_BYTES and not `is_complete`.

    Raises EmptyFile, TypeRefused, TypeComesLater, TypeMislabelled and TypeUnknown.
    """
    is_complete = is_complete and len(head) <= SNIFF_BYTES
    head = head[:SNIFF_BYTES]
    if is_complete and not head.strip(_BLANKS):
        raise EmptyFile
    _refuse_packed(head)
    if head.lstrip(_BLANKS).startswith(_PDF_MARK) and _PDF_MARK in head[:_PDF_SEARCH_BYTES]:
        return PDF
    is_text = _is_text(head, is_complete=is_complete)
    if not is_text and (name := _signed(head, _SIGNATURES)):
        raise TypeRefused(found=name)
    # Some programs put mail or web headers in front; a text that only speaks of PDFs has no objects.
    searched = head[:_PDF_SEARCH_BYTES] if is_text else head
    if _BURIED_PDF.search(searched) and _PDF_OBJECT.search(head):
        return PDF
    if not is_text:
        raise TypeUnknown
    return _text_type(_extension(filename))


def _refuse_packed(head: bytes) -> None:
    if head.startswith((_ZIP_ENTRY, _EMPTY_ZIP)):
        for inner, packed in _ZIPPED:
            if inner in head:
                raise TypeComesLater(found=packed)
        raise TypeRefused(found="ZIP")
    if name := _signed(head, _LATER_SIGNATURES):
        raise TypeComesLater(found=name)
    if head.startswith(b"%!PS"):
        raise TypeRefused(found="PostScript")


def _is_text(head: bytes, *, is_complete: bool) -> bool:
    try:
        decode_text(head, is_complete=is_complete)
    except NotText:
        return False
    return True


def _signed(head: bytes, signatures: tuple[tuple[int, bytes, str], ...]) -> str | None:
    return next((name for offset, magic, name in signatures if head.startswith(magic, offset)), None)


def _text_type(extension: str) -> str:
    if extension in _NOT_TEXT_NAMES:
        raise TypeMislabelled(found="TXT", extension=f".{extension}")
    if extension in {"htm", "html", "xhtml"}:
        raise TypeComesLater(found="HTML")
    return MARKDOWN if extension in _MARKDOWN_NAMES else PLAIN_TEXT


def _extension(filename: str) -> str:
    _, dot, extension = filename.rpartition(".")
    return extension.strip().lower() if dot else ""
