"""The vector side of access: visibility keywords of a document, and the filter of an actor. Nothing else mints filters."""

from youworker_app.access.actor import Actor
from youworker_app.gateways.vectors.protocol import AccessFilter, mint_access_filter


def access_filter(actor: Actor) -> AccessFilter:
    """What the actor may find: their own documents and those of their groups; by a key narrowed to groups, these alone."""
    own = {f"u:{actor.user_id}"} if actor.user_id and not actor.key_line else set()
    return mint_access_filter(own | {f"g:{group_id}" for group_id in actor.group_ids})


def visibility_of(*, owner_id: str, group_id: str | None, is_private: bool) -> tuple[str, ...]:
    """The keywords under which a document's vectors are found."""
    shared = (f"g:{group_id}",) if group_id and not is_private else ()
    return (f"u:{owner_id}", *shared)
