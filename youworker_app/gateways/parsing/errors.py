"""Why a file cannot be read. `found` is a name that needs no translation, such as `PNG` or `Microsoft Word (.docx)`."""

from youworker_app.core.errors import DependencyAway, NotFound, Unprocessable, UnsupportedType

ACCEPTED = "PDF, TXT, Markdown"


class EmptyFile(Unprocessable):
    code = "FILE_EMPTY"
    template = "This file is empty: there is nothing in it to read."


class TypeRefused(UnsupportedType):
    """The content is of a kind that is not read here."""

    code = "FILE_TYPE_REFUSED"
    template = "This file cannot be read: its content is {found}. Accepted are {accepted}."

    def __init__(self, **details: str) -> None:
        super().__init__(accepted=ACCEPTED, **details)


class TypeComesLater(TypeRefused):
    code = "FILE_TYPE_COMES_LATER"
    template = "{found} files cannot be read yet. Save it as a PDF and upload that. Accepted are {accepted}."


class TypeUnknown(TypeRefused):
    code = "FILE_TYPE_UNKNOWN"
    template = "This file cannot be read: its content is neither a PDF nor text. Accepted are {accepted}."


class TypeMislabelled(TypeRefused):
    """Plain text under a name that promises something else."""

    code = "FILE_TYPE_MISLABELLED"
    template = (
        "This file is named {extension} but its content is plain text, not what the name says. "
        "Upload the original, or rename it to .txt if the text is what you want."
    )


class FileUnreadable(Unprocessable):
    code = "FILE_UNREADABLE"
    template = "This file could not be read: its content stops the reader. Save it anew and upload that."


class FileTooComplex(Unprocessable):
    code = "FILE_TOO_COMPLEX"
    template = "Reading this file takes more time or memory than one may take. Split it or save it in a simpler form."


class ReaderStopped(DependencyAway):
    """Not the file's fault: the same file can be read later."""

    code = "FILE_READER_STOPPED"
    template = "The server is stopping. Reading this file goes on when it runs again."


class PdfPasswordProtected(Unprocessable):
    code = "PDF_PASSWORD_PROTECTED"
    template = "This PDF is protected by a password. Remove the password and upload it again."


class PdfDamaged(Unprocessable):
    code = "PDF_DAMAGED"
    template = (
        "This PDF is damaged or incomplete and cannot be opened. Save or download it anew and upload that."
    )


class PdfWithoutPages(Unprocessable):
    code = "PDF_WITHOUT_PAGES"
    template = "This PDF has no pages."


class PdfWithoutText(Unprocessable):
    """For the ingestion to raise: the file itself is good and is kept."""

    code = "PDF_WITHOUT_TEXT"
    template = (
        "The pages of this PDF are pictures without text, as from a scanner. It is kept but not searched."
    )


class PdfTooManyPages(Unprocessable):
    code = "PDF_TOO_MANY_PAGES"
    template = "This PDF has {pages} pages, at most {limit} are allowed. Split it and upload the parts."


class PageNotFound(NotFound):
    code = "PAGE_NOT_FOUND"
    template = "This file has no page {page} that could be shown."
