"""The rights that members of a group have on a document, each implying those before it."""

from enum import IntEnum

from youworker_app.access.actor import Actor


class Right(IntEnum):
    """`ASK`: passages in search and answers. `VIEW`: list entry, page pictures, text. `DOWNLOAD`: the original."""

    ASK = 1
    VIEW = 2
    DOWNLOAD = 3


def right_of(actor: Actor, *, owner_id: str, group_right: int | None, member_right: int | None) -> Right:
    """The right that an actor who sees a document has on it: what the policies say in SQL, for one row in hand."""
    if owner_id == actor.user_id:
        return Right.DOWNLOAD
    return Right(min(group_right or Right.ASK, member_right or Right.DOWNLOAD))
