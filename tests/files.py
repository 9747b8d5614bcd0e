"""Makes the files that tests upload: good PDFs, odd PDFs, and hostile ones. Nothing is read from the machine."""

import io
import zlib
from collections.abc import Mapping, Sequence

import pypdf
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

# In points: where `pdf_of` begins a page, and how far its lines are apart.
LEFT, TOP, LEADING = 72, 760, 16
MIB = 1024 * 1024

ENGLISH = (
    "The lease begins on the first of March and ends after six years. The tenant pays the rent in advance, on the "
    "fifth day of each month. A delay of more than thirty days gives the landlord the right to end the contract."
)
ITALIAN = (
    "Il contratto di locazione decorre dal primo marzo e ha la durata di sei anni. Il conduttore versa il canone "
    "anticipatamente entro il giorno cinque di ogni mese. Un ritardo superiore a trenta giorni è causa di risoluzione."
)


def pdf_of(
    pages: Sequence[str],
    *,
    title: str | None = None,
    author: str | None = None,
    size: int = 11,
    bookmarks: Sequence[tuple[int, int, str]] = (),
) -> bytes:
    """A PDF with one page for each text, line by line in Helvetica from (LEFT, TOP) down.

    `bookmarks` are (page, level, title) in order; a level is at most one below the one before.
    """
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=True)
    if author is not None:
        canvas.setAuthor(author)
    if title is not None:
        canvas.setTitle(title)
    for index, page in enumerate(pages, 1):
        for _, level, name in (mark for mark in bookmarks if mark[0] == index):
            canvas.bookmarkPage(name)
            canvas.addOutlineEntry(name, name, level)
        canvas.setFont("Helvetica", size)
        for number, line in enumerate(page.split("\n")):
            canvas.drawString(LEFT, TOP - number * LEADING, line)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def wrapped(text: str, width: int = 80) -> str:
    """The text in lines of at most `width` characters, as a page shows it."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def scanned_pdf(pages: int = 2) -> bytes:
    """Pages that hold a picture and no text."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=True)
    for _ in range(pages):
        canvas.drawImage(ImageReader(_grey_picture()), 50, 50, 400, 600)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def form_pdf(value: str) -> bytes:
    """A form whose field somebody filled with `value`."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=True)
    canvas.drawString(72, 700, "Name:")
    canvas.acroForm.textfield(name="person", x=120, y=690, width=300, height=20, value=value)
    canvas.save()
    return out.getvalue()


def with_password(pdf: bytes, *, user: str, owner: str) -> bytes:
    """The PDF encrypted (AES-256); an empty `user` password opens without asking."""
    return _rewritten(pdf, encrypt=(user, owner))


def turned(pdf: bytes, degrees: int) -> bytes:
    """Every page turned clockwise by a multiple of 90 degrees."""
    return _rewritten(pdf, degrees=degrees)


def cropped(pdf: bytes, left: float, bottom: float, right: float, top: float) -> bytes:
    """Every page cropped to a box, in points."""
    return _rewritten(pdf, crop=(left, bottom, right, top))


def raw_pdf(objects: Sequence[bytes], *, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first one is the catalogue."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table)
    return bytes(out) + b"trailer\n<< /Size %d /Root 1 0 R %b >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer,
        len(out) - len(table) - len(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)),
    )


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """A stream object."""
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(content), entries, content)


CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
ONE_PAGE = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 200] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>"
HELVETICA = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"


def one_page_pdf(
    content: bytes, *, entries: bytes = b"", page: bytes = PAGE, more: Sequence[bytes] = ()
) -> bytes:
    """A page with this content stream; further objects count from 6."""
    return raw_pdf([CATALOG, ONE_PAGE, page, stream(content, entries), HELVETICA, *more])


def described_pdf(info: bytes) -> bytes:
    """A page with this information dictionary, as raw as it is given: `/Title (x) /Author (y)`."""
    content = stream(b"BT /F 12 Tf 20 150 Td (described) Tj ET")
    entries = b"<< %b >>" % info
    return raw_pdf([CATALOG, ONE_PAGE, PAGE, content, HELVETICA, entries], trailer=b"/Info 6 0 R")


def without_end(pdf: bytes) -> bytes:
    """The PDF as it comes when the last bytes are missing, from the table of its objects on; all objects are there."""
    return pdf[: pdf.rindex(b"\nxref\n") + 1]


def mapped_pdf(shown: bytes, meaning: Mapping[str, str]) -> bytes:
    """A page that shows `shown` in a font whose letters mean something else, as embedded fonts do."""
    pairs = b"".join(
        b"<%02X> <%b>\n" % (ord(key), value.encode("utf-16-be").hex().encode())
        for key, value in meaning.items()
    )
    to_unicode = stream(
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /M def\n"
        b"1 begincodespacerange <00> <FF> endcodespacerange\n"
        b"%d beginbfchar\n%bendbfchar\nendcmap end end" % (len(meaning), pairs)
    )
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>"
    content = b"BT /F 20 Tf 20 150 Td (%b) Tj ET" % shown
    return raw_pdf([CATALOG, ONE_PAGE, PAGE, stream(content), font, to_unicode])


def zero_page_pdf() -> bytes:
    return raw_pdf([CATALOG, b"<< /Type /Pages /Kids [] /Count 0 >>"])


def looping_pdf() -> bytes:
    """A page tree whose nodes are each other's children."""
    return raw_pdf(
        [
            CATALOG,
            b"<< /Type /Pages /Kids [3 0 R] /Count 3 >>",
            b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Parent 3 0 R /Count 3 >>",
        ]
    )


def lying_pdf(count: int) -> bytes:
    """One page that says it is `count` pages."""
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count %d >>" % count
    return raw_pdf([CATALOG, pages, PAGE, stream(b"BT /F 12 Tf 20 150 Td (only page) Tj ET"), HELVETICA])


def bomb_pdf(unpacked_bytes: int, *, pattern: bytes = b" ") -> bytes:
    """A content stream that unpacks to a thousand times its size."""
    packer = zlib.compressobj(9)
    block = (pattern * (MIB // len(pattern) + 1))[:MIB]
    packed = b"".join(packer.compress(block) for _ in range(unpacked_bytes // MIB)) + packer.flush()
    return one_page_pdf(packed, entries=b"/Filter /FlateDecode")


def laughing_pdf(depth: int = 9, width: int = 10) -> bytes:
    """Form XObjects that each draw the next one `width` times: width ** depth drawings in a few kilobytes."""
    forms = []
    for level in range(depth):
        last = level == depth - 1
        content = b"0 0 m 9 9 l S " if last else b"/X Do " * width
        inner = b"" if last else b"/Resources << /XObject << /X %d 0 R >> >>" % (7 + level)
        forms.append(stream(content, b"/Type /XObject /Subtype /Form /BBox [0 0 300 200] " + inner))
    page = PAGE.replace(b"/Font", b"/XObject << /X 6 0 R >> /Font")
    return one_page_pdf(b"/X Do", page=page, more=forms)


def huge_picture_pdf(side: int = 60_000) -> bytes:
    """A one-bit picture of side x side pixels."""
    packed = zlib.compress(bytes(MIB) * (side * side // 8 // MIB), 9)
    picture = stream(
        packed,
        b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 "
        b"/Filter /FlateDecode" % (side, side),
    )
    page = PAGE.replace(b"/Font", b"/XObject << /X 6 0 R >> /Font")
    return one_page_pdf(b"q 300 0 0 200 0 0 cm /X Do Q", page=page, more=[picture])


def _rewritten(
    pdf: bytes,
    *,
    encrypt: tuple[str, str] | None = None,
    degrees: int = 0,
    crop: tuple[float, float, float, float] | None = None,
) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf))
    for page in writer.pages:
        page.rotate(degrees)
        if crop:
            page.cropbox = pypdf.generic.RectangleObject(crop)
    if encrypt:
        writer.encrypt(encrypt[0], encrypt[1], algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _grey_picture() -> io.BytesIO:
    header = b"P5 64 64 255\n"
    return io.BytesIO(header + bytes((x * y) % 256 for x in range(64) for y in range(64)))
