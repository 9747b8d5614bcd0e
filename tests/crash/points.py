"""The named moments between two steps of the product at which a test can have it killed. Names steps, changes none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Point:
    """Before or after a call of `owner.method` in `module`."""

    module: str
    owner: str
    method: str
    after: bool = False


_BLOBS: Final = "youworker_app.gateways.blobs.files"
_DB: Final = "youworker_app.core.db"
_JOBS: Final = "youworker_app.core.jobs"
_INTAKE: Final = "youworker_app.documents.intake"
_SHARING: Final = "youworker_app.documents.sharing"
_PIPELINE: Final = "youworker_app.ingestion.pipeline"
_RECOVERY: Final = "youworker_app.ingestion.recovery"
_INDEX: Final = "youworker_app.ingestion.maintenance"
_RUNNER: Final = "youworker_app.chat.runner"
_STORE: Final = "youworker_app.gateways.vectors.embedded"
_FOLDER: Final = "youworker_app.gateways.vectors.folder"

POINTS: Final[Mapping[str, Point]] = {
    # --- the first start
    "index noted, not made": Point(_FOLDER, "IndexFolder", "begin_shard", after=True),
    "index made, not named": Point(_FOLDER, "IndexFolder", "finish_shard"),
    # --- an upload
    "bytes half written": Point(_BLOBS, "_Unfinished", "append", after=True),
    "bytes written, not named": Point(_BLOBS, "_Unfinished", "finish"),
    "bytes stored, no row": Point(_BLOBS, "_Unfinished", "finish", after=True),
    "rows written, not committed": Point(_INTAKE, "DocumentIntake", "register", after=True),
    "committed, not delivered": Point(_JOBS, "JobQueue", "deliver"),
    # --- the way of a document
    "file read, passages not kept": Point(_INTAKE, "DocumentIntake", "add_passages"),
    "passages written, not committed": Point(_INTAKE, "DocumentIntake", "add_passages", after=True),
    "passages kept, reading not": Point(_INTAKE, "DocumentIntake", "put_readings"),
    "passages in, none embedded": Point(_PIPELINE, "IngestionPipeline", "_embed"),
    "batch embedded, not written": Point(_STORE, "EmbeddedVectorStore", "upsert"),
    "batch written, not noted": Point(_STORE, "EmbeddedVectorStore", "upsert", after=True),
    "all embedded, not finished": Point(_PIPELINE, "IngestionPipeline", "_finish"),
    # --- moving and deleting
    "copy stored, not exchanged": Point(_SHARING, "SharingService", "_copy", after=True),
    "moved, index not told": Point(_STORE, "EmbeddedVectorStore", "set_visibility"),
    "moved, index told": Point(_STORE, "EmbeddedVectorStore", "set_visibility", after=True),
    "old bytes not deleted": Point(_BLOBS, "FileBlobStore", "delete"),
    "deleted, vectors there": Point(_STORE, "EmbeddedVectorStore", "delete_document"),
    "vectors deleted, bytes there": Point(_STORE, "EmbeddedVectorStore", "delete_document", after=True),
    # --- an answer
    "asked, not begun": Point(_RUNNER, "AnswerRunner", "run"),
    "evidence kept, nothing written": Point(_RUNNER, "AnswerRunner", "_keep_evidence", after=True),
    "answer half said": Point(_RUNNER, "AnswerRunner", "_take"),
    "answer said, end not kept": Point(_RUNNER, "AnswerRunner", "_save_end"),
    "answer kept, end not told": Point(_RUNNER, "AnswerRunner", "_save_end", after=True),
    # --- a start after a crash
    "bytes about to be swept": Point(_RECOVERY, "IngestionRecovery", "sweep"),
    "swept, not compared": Point(_RECOVERY, "IngestionRecovery", "recover"),
    "move found out, not made good": Point(_INDEX, "IndexMaintenance", "_follow_visibility"),
    "compared, not delivered": Point(_INDEX, "IndexMaintenance", "compare_counts", after=True),
    # --- any step
    "before a commit": Point(_DB, "WholeSession", "_commit"),
    "after a commit": Point(_DB, "WholeSession", "_commit", after=True),
}
