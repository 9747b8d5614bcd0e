"""One PDF in pdfium: text, places, pictures.

Runs in a child process: pdfium is C++, not thread-safe, and reads foreign files. Imports little, for the child starts
anew for each document; pypdf, which takes as long to import as all the rest, only where a file needs it.
"""

import ctypes
import io
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import TypeAlias

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image, ImageDraw

from youworker_app.gateways.parsing.pdf_text import clean_page, mark_range, sane_title

LONGEST_PAGE = 4_000_000  # characters; a page of a book has 3,000
_ERRORS = {pdfium_c.FPDF_ERR_PASSWORD: "password", pdfium_c.FPDF_ERR_SECURITY: "password"}
_PAGES_TRIED = 20
_MOST_BOOKMARKS = 10_000
_LONGEST_BOOKMARK = 150  # characters
_NO_PAGES = re.compile(rb"/Count\s{1,9}0\b")
_ANY_PAGE = re.compile(rb"/Type\s{0,9}/Page\b")
_MARK_FILL = (255, 213, 0, 84)
_MARK_LINE = (217, 119, 6, 255)
_POINTS_AROUND = 1.5
_WIDEST_GAP = 3  # line heights between two pieces of one line
_A4_POINTS = 595.0

Box: TypeAlias = tuple[int, int, int, int]  # left, top, right, bottom in pixels


class SessionError(Exception):
    """The file cannot be served; `code` is one of password, damaged, no_pages, too_complex, no_page."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class PdfSession:
    """An open PDF. Page numbers count from 1. `is_rescued`: pdfium refused the file, and reads one rebuilt from it."""

    def __init__(self, data: bytes) -> None:
        self.is_rescued = False
        try:
            self._pdf = _opened(data)
        except SessionError as error:
            if error.code != "damaged":
                raise
            data = _rescued(data)
            self._pdf = _opened(data)
            if _is_blank(self._pdf):
                raise SessionError("damaged") from error
            self.is_rescued = True
        self._data = data
        self.page_count = len(self._pdf)
        if self.page_count == 0:
            raise SessionError("no_pages")
        # What people filled into a form is drawn by widgets, not by the page: it is put into the page to be read.
        self._has_form = self._pdf.get_formtype() != pdfium_c.FORMTYPE_NONE

    def title(self) -> str | None:
        return sane_title(self._pdf.get_metadata_value("Title"))

    def metadata(self) -> dict[str, str]:
        """What the file says of itself, uncleaned: title, author, producer and creation_date, those that there are."""
        from youworker_app.gateways.parsing import pdf_structure

        return pdf_structure.read_metadata(self._data)

    def outline(self) -> list[tuple[int, int, str]]:
        """Page, level and title of the bookmarks in reading order."""
        found = []
        for bookmark in islice(self._pdf.get_toc(), _MOST_BOOKMARKS):
            destination = bookmark.get_dest()
            page = destination.get_index() if destination else None
            title = " ".join(clean_page(bookmark.get_title()).split())[:_LONGEST_BOOKMARK]
            if page is not None and title:
                found.append((page + 1, bookmark.level, title))
        return found

    def texts(self, first: int, *, seconds: float) -> list[str | None]:
        """Cleaned texts of the pages from `first` on, at least one, as many as `seconds` allow. None: a broken page."""
        texts: list[str | None] = []
        stop = time.monotonic() + seconds
        size = 0
        for number in range(first, self.page_count + 1):
            texts.append(self._text(number))
            size += len(texts[-1] or "")
            if time.monotonic() >= stop or size > LONGEST_PAGE:
                break
        return texts

    def picture(
        self, number: int, marks: Sequence[tuple[int, int]], *, width: int, most_pixels: int
    ) -> bytes:
        """The page as PNG with its marks drawn."""
        page = self._page(number)
        if page is None:
            raise SessionError("damaged" if 1 <= number <= self.page_count else "no_page")
        scale = _scale(page, width, most_pixels)
        image = page.render(scale=scale, rev_byteorder=True).to_pil().convert("RGB")
        boxes = list(_boxes(page, marks, image.size)) if marks else []
        _draw(image, joined_lines(boxes), around=_POINTS_AROUND * scale)
        out = io.BytesIO()
        image.save(out, "PNG", compress_level=3)
        page.close()
        return out.getvalue()

    def _text(self, number: int) -> str | None:
        page = self._page(number)
        if page is None:
            return None
        text = clean_page(_raw_text(page.get_textpage()))
        page.close()
        return text

    def _page(self, number: int) -> pdfium.PdfPage | None:
        if not 1 <= number <= self.page_count:
            return None
        try:
            page = self._pdf[number - 1]
            if (
                self._has_form
                and pdfium_c.FPDFPage_Flatten(page, pdfium_c.FLAT_NORMALDISPLAY) == pdfium_c.FLATTEN_SUCCESS
            ):
                page.close()
                page = self._pdf[number - 1]
        except pdfium.PdfiumError:
            return None
        return page


def _opened(data: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        fault = "no_pages" if _is_without_pages(data) else "damaged"
        raise SessionError(_ERRORS.get(error.err_code, fault)) from error


def _rescued(data: bytes) -> bytes:
    from youworker_app.gateways.parsing import pdf_structure

    try:
        rescued = pdf_structure.rescued(data)
    except pdf_structure.PasswordNeeded as error:
        raise SessionError("password") from error
    if rescued is None:
        raise SessionError("damaged")
    return rescued


def _is_blank(pdf: pdfium.PdfDocument) -> bool:
    """Whether the first pages show nothing at all, as when they are locked and the key was cut off with the file's end."""
    for number in range(min(len(pdf), _PAGES_TRIED)):
        with suppress(pdfium.PdfiumError):
            if pdfium_c.FPDFPage_CountObjects(pdf[number]) > 0:
                return False
    return True


def _is_without_pages(data: bytes) -> bool:
    """Whether a file that pdfium refuses is whole but for its pages; compressed page trees cannot be told."""
    return b"startxref" in data[-2048:] and bool(_NO_PAGES.search(data)) and not _ANY_PAGE.search(data)


def _raw_text(textpage: pdfium.PdfTextPage) -> str:
    """pdfium's characters, one UTF-16 unit each, so that its indices hold; lone surrogates stay in."""
    count = textpage.count_chars()
    if count > LONGEST_PAGE:
        raise SessionError("too_complex")
    buffer = (ctypes.c_ushort * (count + 2))()
    written = pdfium_c.FPDFText_GetText(textpage, 0, count, buffer) - 1
    if written == count:
        units = bytes(memoryview(buffer).cast("B")[: 2 * count])
    else:  # pdfium left something out: ask for each character, which is slower
        codes = (pdfium_c.FPDFText_GetUnicode(textpage, index) & 0xFFFF for index in range(count))
        units = b"".join(code.to_bytes(2, "little") for code in codes)
    return units.decode("utf-16-le", errors="surrogatepass")


def _scale(page: pdfium.PdfPage, width: int, most_pixels: int) -> float:
    points_wide, points_high = page.get_size()
    scale = width / (points_wide or _A4_POINTS)
    too_many = points_wide * points_high * scale * scale / most_pixels
    return float(scale / too_many**0.5) if too_many > 1 else float(scale)


def _boxes(page: pdfium.PdfPage, marks: Sequence[tuple[int, int]], size: tuple[int, int]) -> Iterator[Box]:
    """The pieces of text under each mark, in reading order. pdfium turns and flips the page's own axes."""
    textpage = page.get_textpage()
    raw = _raw_text(textpage)
    for start, end in marks:
        first, stop = mark_range(raw, start, end)
        if stop <= first:
            continue
        for index in range(textpage.count_rects(first, stop - first)):
            left, bottom, right, top = textpage.get_rect(index)
            (x0, y0), (x1, y1) = _pixel(page, size, left, top), _pixel(page, size, right, bottom)
            yield min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def _pixel(page: pdfium.PdfPage, size: tuple[int, int], x: float, y: float) -> tuple[int, int]:
    across, down = ctypes.c_int(), ctypes.c_int()
    pdfium_c.FPDF_PageToDevice(page, 0, 0, size[0], size[1], 0, x, y, across, down)
    return across.value, down.value


def joined_lines(boxes: Iterable[Box]) -> list[Box]:
    """One box for a line instead of one for each font in it; columns stay apart."""
    joined: list[Box] = []
    for left, top, right, bottom in boxes:
        if joined:
            last_left, last_top, last_right, last_bottom = joined[-1]
            low, high = sorted((bottom - top, last_bottom - last_top))
            shared = min(bottom, last_bottom) - max(top, last_top)
            gap = max(left, last_left) - min(right, last_right)
            if shared >= low / 2 and gap <= _WIDEST_GAP * high:
                joined[-1] = (
                    min(left, last_left),
                    min(top, last_top),
                    max(right, last_right),
                    max(bottom, last_bottom),
                )
                continue
        joined.append((left, top, right, bottom))
    return joined


def _draw(image: Image.Image, boxes: Sequence[Box], *, around: float) -> None:
    brush = ImageDraw.Draw(image, "RGBA")
    thick = max(1, round(image.width / 800))
    for left, top, right, bottom in boxes:
        frame = (left - around, top - around, right + around, bottom + around)
        brush.rectangle(frame, fill=_MARK_FILL, outline=_MARK_LINE, width=thick)
