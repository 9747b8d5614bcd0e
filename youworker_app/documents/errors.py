"""What can be wrong with a document."""

from youworker_app.core.errors import Conflict, Unprocessable


class NoPagePicture(Unprocessable):
    code, template = "NO_PAGE_PICTURE", "This kind of file has no page pictures. Its text is shown instead."


class TagInvalid(Unprocessable):
    code, template = "TAG_INVALID", "A tag has 1 to 64 visible characters, and a document at most 50 tags."


class TitleInvalid(Unprocessable):
    code, template = "TITLE_INVALID", "A title has 1 to 512 visible characters."


class PrivateInGroup(Conflict):
    code, template = "SHARE_NEEDS_GROUP", "Choose a group to share this document with."


class RangeInvalid(Unprocessable):
    code, http_status, template = (
        "RANGE_INVALID",
        416,
        "The file has {size_bytes} bytes; the requested range lies outside.",
    )
