"""An erasure's receipt as a text to keep, in the languages of the product."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from youworker_app.accounts.schemas import ErasureReceipt

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "title": "YouWorker: erasure receipt",
        "number": "Number",
        "asked": "Asked for by",
        "own": "the person",
        "other": "an administrator",
        "begun": "Begun",
        "rows": "Rows and keys destroyed",
        "bytes": "Stored bytes and vectors destroyed",
        "destroyed": "Destroyed",
        "keys": "Data keys destroyed",
        "kept": "Kept: the audit trail, without the name; this receipt, which names nobody.",
        "soon": "under way",
    },
    "it": {
        "title": "YouWorker: ricevuta di cancellazione",
        "number": "Numero",
        "asked": "Richiesta da",
        "own": "la persona",
        "other": "un amministratore",
        "begun": "Iniziata",
        "rows": "Righe e chiavi distrutte",
        "bytes": "Byte conservati e vettori distrutti",
        "destroyed": "Distrutto",
        "keys": "Chiavi dei dati distrutte",
        "kept": "Conservati: il registro di controllo, senza il nome; questa ricevuta, che non nomina nessuno.",
        "soon": "in corso",
    },
}


def receipt_text(receipt: ErasureReceipt, language: str = "en") -> str:
    """Lines of plain text; in English where the language is none of the product's."""
    return "\n".join(_lines(receipt, _WORDS.get(language, _WORDS["en"]))) + "\n"


def _lines(receipt: ErasureReceipt, words: Mapping[str, str]) -> Iterator[str]:
    yield words["title"]
    yield f"{words['number']}: {receipt.id}"
    yield f"{words['asked']}: {words['own'] if receipt.is_own else words['other']}"
    for name, at in (
        ("begun", receipt.started_at),
        ("rows", receipt.erased_at),
        ("bytes", receipt.finished_at),
    ):
        yield f"{words[name]}: {_time(at) or words['soon']}"
    yield ""
    yield f"{words['destroyed']}:"
    for part, rows in receipt.destroyed.items():
        for table, count in rows.items():
            yield f"  {part}: {table}: {count}"
    yield ""
    yield f"{words['keys']}: {len(receipt.key_ids)}"
    yield from (f"  {key_id}" for key_id in receipt.key_ids)
    yield ""
    yield words["kept"]


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else ""
