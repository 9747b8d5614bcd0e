"""A document's text while it is read: cut, sealed, and what it tells of itself. Writes nothing."""

from dataclasses import dataclass, field

from youworker_app.documents.intake import DocumentIntake
from youworker_app.documents.schemas import Locator, NewPassage, PlainPassage, Reading, SourceFile
from youworker_app.gateways.parsing.errors import PdfWithoutText
from youworker_app.gateways.parsing.media_types import PDF
from youworker_app.gateways.parsing.protocol import OpenDocument, TextUnit
from youworker_app.ingestion.chunking import ChunkDraft, chunk_unit
from youworker_app.ingestion.errors import NoTextFound
from youworker_app.ingestion.language import language_of
from youworker_app.ingestion.points import BATCH

_SAMPLE_CHARS = 4_000


@dataclass
class TextSoFar:
    """How much text there is, what is not written yet, what is embedded first."""

    count: int = 0
    sample: str = ""
    pending: list[NewPassage] = field(default_factory=list)
    first: list[PlainPassage] = field(default_factory=list)

    def cut(self, unit: TextUnit) -> list[ChunkDraft]:
        """The passages of the next unit, to be added each."""
        if len(self.sample) < _SAMPLE_CHARS:
            self.sample += unit.text[:_SAMPLE_CHARS] + "\n"
        return chunk_unit(unit, first_ordinal=self.count)

    def add(self, intake: DocumentIntake, source: SourceFile, draft: ChunkDraft) -> None:
        """Adds a passage, sealed."""
        locator = Locator(draft.kind, draft.label, draft.section or "")
        span = (draft.start, draft.end)
        passage = intake.seal_passage(
            source, draft.ordinal, draft.unit_number, draft.page, span, locator, draft.text
        )
        self.count += 1
        self.pending.append(passage)
        if len(self.first) < BATCH:  # the others are read again: a text may be large
            self.first.append(PlainPassage(passage.chunk_id, passage.ordinal, locator, draft.text))

    async def end(self, source: SourceFile, document: OpenDocument) -> Reading:
        """What reading told of the whole document. Raises PdfWithoutText, NoTextFound."""
        told = await document.metadata()
        if not self.count:
            is_scan = source.media_type == PDF and not document.has_text
            raise PdfWithoutText if is_scan else NoTextFound
        return Reading(document.page_count, await language_of(self.sample), told.title, told.author)
