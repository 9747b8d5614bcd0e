"""The rights that members of a group have on a document, each implying those before it."""

from enum import IntEnum


class Right(IntEnum):
    """`ASK`: passages in search and answers. `VIEW`: list entry, page pictures, text. `DOWNLOAD`: the original."""

    ASK = 1
    VIEW = 2
    DOWNLOAD = 3
