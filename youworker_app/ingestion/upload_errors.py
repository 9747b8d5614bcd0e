"""What can be wrong with an upload as a whole; what is wrong with one of its files is told by the service."""

from youworker_app.core.errors import Malformed, TooLarge, Unprocessable, UnsupportedType

_NOTHING_KEPT = "Nothing of this upload was kept."


class UploadNotForm(UnsupportedType):
    code, template = (
        "UPLOAD_NOT_FORM",
        "Send files as multipart/form-data, for example with curl -F files=@report.pdf.",
    )


class UploadMalformed(Malformed):
    code, template = "UPLOAD_MALFORMED", f"The upload could not be read: {{reason}}. {_NOTHING_KEPT}"


class UploadCutShort(Malformed):
    code, template = (
        "UPLOAD_CUT_SHORT",
        f"The upload ended before it was complete. {_NOTHING_KEPT} Send it again.",
    )


class UploadAbandoned(Malformed):
    """The sender went away. Nobody reads this; it keeps the log honest."""

    code, template = (
        "UPLOAD_ABANDONED",
        "The connection ended during the upload. Files that had arrived whole are kept.",
    )


class UploadStalled(Malformed):
    code, http_status = "UPLOAD_STALLED", 408
    template = (
        "Nothing arrived for {seconds} seconds, so the upload was ended. Files that had arrived whole are kept; send the "
        "others again."
    )


class UploadTooSlow(UploadStalled):
    code = "UPLOAD_TOO_SLOW"
    template = (
        "The upload came in at less than {bytes_per_s} bytes a second, so it was ended. Files that had arrived whole are "
        "kept; send the others again, over a better line."
    )


class UploadTooManyFiles(TooLarge):
    code, template = (
        "UPLOAD_TOO_MANY_FILES",
        f"One upload takes at most {{limit}} files. {_NOTHING_KEPT} Send them in parts.",
    )


class UploadTooManyFields(TooLarge):
    code, template = (
        "UPLOAD_TOO_MANY_FIELDS",
        f"One upload takes at most {{limit}} fields beside its files. {_NOTHING_KEPT}",
    )


class UploadFieldTooLarge(TooLarge):
    code, template = (
        "UPLOAD_FIELD_TOO_LARGE",
        f"The field {{field}} is longer than {{limit}} bytes. {_NOTHING_KEPT}",
    )


class UploadFieldInvalid(Unprocessable):
    code, template = (
        "UPLOAD_FIELD_INVALID",
        f"The field {{field}} cannot be used: {{reason}}. {_NOTHING_KEPT}",
    )


class UploadFieldAfterFile(Unprocessable):
    code = "UPLOAD_FIELD_AFTER_FILE"
    template = (
        f"The field {{field}} came after a file, too late to hold for it. {_NOTHING_KEPT} Send it before the files, or in "
        "the address (?{field}=…)."
    )


class UploadWithoutFiles(Unprocessable):
    code, template = "UPLOAD_WITHOUT_FILES", "There was no file in this upload."
