"""From rows to views. Pure: whoever calls has asked what may be seen."""

from youworker_app.access.actor import Actor
from youworker_app.access.rights import Right
from youworker_app.core.crypto import open_sealed
from youworker_app.core.keys import DataKeys
from youworker_app.documents.passage_repository import PassageRow
from youworker_app.documents.repository import DocumentRow
from youworker_app.documents.schemas import DocumentView, Locator, Passage

# Why it failed, or what it waits for.
_TELLING = frozenset({"failed", "queued", "working"})


def document_view(row: DocumentRow, actor: Actor) -> DocumentView:
    """The document as the actor sees it; a colleague's job and its errors stay with the colleague."""
    document, job = row.document, row.job
    return DocumentView(
        id=document.id,
        title=document.title,
        author=document.author,
        filename=document.filename,
        file_id=document.file_id,
        mime_type=row.file.media_type,
        size_bytes=row.file.size_bytes,
        pages=document.pages,
        state=document.state,
        stage=job.stage if job else "",
        progress=1.0 if document.state == "ready" else (job.progress if job else 0.0),
        error_code=job.error_code if job and document.state in _TELLING else "",
        error=str(job.error_details.get("message", "")) if job and document.state in _TELLING else "",
        error_details={k: v for k, v in job.error_details.items() if k != "message"} if job else {},
        job_id=job.id if job else "",
        owner=row.owner,
        owner_id=document.owner_id,
        group_id=document.group_id,
        is_private=document.is_private,
        is_mine=document.owner_id == actor.user_id,
        can_download=row.right >= Right.DOWNLOAD,
        tags=row.tags,
        collection=document.collection,
        language=document.language,
        created_at=document.created_at,
    )


def chunk_aad(chunk_id: str) -> bytes:
    """Binds a sealed passage to its row."""
    return b"chunk:" + chunk_id.encode()


def passage_view(row: PassageRow, right: Right, keys: DataKeys) -> Passage:
    """The passage in the clear. Raises DecryptionFailed."""
    text = open_sealed(keys.unwrap(row.wrapped_key), row.sealed_text, chunk_aad(row.chunk_id)).decode()
    return Passage(
        chunk_id=row.chunk_id,
        document_id=row.document_id,
        file_id=row.file_id,
        filename=row.filename,
        title=row.title,
        page=row.page,
        locator=Locator(**row.locator),
        text=text,
        group_id=row.group_id,
        is_private=row.is_private,
        can_view=right >= Right.VIEW,
        can_download=right >= Right.DOWNLOAD,
        language=row.language,
        ordinal=row.ordinal,
        mime_type=row.media_type,
    )
