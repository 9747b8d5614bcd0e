"""From rows to views. Citations are read anew each time: what the reader may no longer see is not in them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from youworker_app.access.rights import Right
from youworker_app.chat.repository import CitationRow, MessageRow, RunRow, SessionRow
from youworker_app.chat.schemas import CitationView, MessageView, SessionView
from youworker_app.chat.vault import Vault
from youworker_app.documents.schemas import Passage


def session_view(row: SessionRow, vault: Vault) -> SessionView:
    """A conversation with its title in the clear."""
    return SessionView(row.id, vault.open(row.sealed_title), row.created_at, row.updated_at)


def message_view(
    row: MessageRow, vault: Vault, run: RunRow | None, citations: Sequence[CitationView]
) -> MessageView:
    """A message in the clear."""
    return MessageView(
        id=row.id,
        session_id=row.session_id,
        role=row.role,
        content=vault.open(row.sealed_content),
        state=row.state,
        model=row.model,
        error_code=row.error_code,
        error=str(row.error_details.get("message", "")),
        run_id=run.id if run else "",
        citations=tuple(citations),
        created_at=row.created_at,
        usage=row.usage,
        error_details={k: v for k, v in row.error_details.items() if k != "message"},
    )


def stored_citation(row: CitationRow, passages: Mapping[str, Passage]) -> CitationView:
    """A kept citation, as its reader may see it now."""
    passage = passages.get(row.chunk_id)
    if passage is None:
        return CitationView(row.n, row.chunk_id, row.document_id, available=False, score=row.score)
    return citation_view(row.n, passage, score=row.score, mark=(row.mark_start, row.mark_end))


def citation_view(
    n: int, passage: Passage, *, score: float, mark: tuple[int | None, int | None]
) -> CitationView:
    """A citation of a passage that its reader may see."""
    return CitationView(
        n=n,
        chunk_id=passage.chunk_id,
        document_id=passage.document_id,
        available=True,
        file_id=passage.file_id,
        filename=passage.filename,
        title=passage.title,
        page=passage.page,
        locator=passage.locator,
        quote=passage.text,
        mark_start=mark[0],
        mark_end=mark[1],
        score=score,
        can_view=passage.can_view,
        can_download=passage.can_download,
        mime_type=passage.mime_type,
    )


def citation_json(view: CitationView) -> dict[str, object]:
    """A citation as it travels in an event."""
    return asdict(view)


def citation_by_right(citation: Mapping[str, object], right: Right | None) -> dict[str, object]:
    """A citation from an event, as a reader with this right on it may see it; None for no right at all."""
    if right is not None:
        return {**citation, "can_view": right >= Right.VIEW, "can_download": right >= Right.DOWNLOAD}
    about = {name: citation[name] for name in ("n", "chunk_id", "document_id", "score")}
    return citation_json(CitationView(available=False, **cast("dict[str, Any]", about)))
