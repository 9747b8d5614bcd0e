"""The language of a question: short, often without accents or grammar. Texts of documents: `ingestion.language`.

Small words decide between the two languages of the product; a statistical guess only where none stands there.
"""

import re
from collections.abc import Collection
from typing import Final

from youworker_app.ingestion.language import language_of

_WORD = re.compile(r"[^\W\d_]+")

ENGLISH: Final = frozenset(
    """a about after all also an and any are as at be because been before being between both but by can could did do does
    doing during each few for from had has have having he her here hers him his how i if in into is it its itself just
    let me more most my no nor not of off on once only or other our out over own please same say says she should show so
    some such tell than that the their theirs them then there these they this those through to too under until up upon us
    very was we were what when where which while who whom whose why will with within without would you your yours""".split()
)
"""English words that carry grammar and no subject."""

ITALIAN: Final = frozenset(
    """a abbiamo ad agli ai al alla alle allo anche ancora avere aveva avevano c che chi ci ciò codesto col come con cosa cui
    d da dagli dai dal dalla dalle dallo degli dei del della delle dello dentro di dopo dov dove durante e è ecco ed era
    erano essa esse essere essi esso fa fare fino fra fu furono già gli ha hai hanno ho i il in io l la le lei li lo loro
    lui ma me mentre mi mia mie miei mio mostra mostrami molto ne negli nei nel nella nelle nello no noi non nostra nostre
    nostri nostro o od ogni oppure per perché perchè perche però più po poi qual quale quali quand quando quanta quante
    quanti quanto quella quelle quelli quello questa queste questi questo qui se sei sempre senza si sia siamo siano siete
    solo sono sopra sotto sta stata state stati stato su sua sue sugli sui sul sulla sulle sullo suo suoi tra tu tua tue
    tuo tuoi tutta tutte tutti tutto un una uno v vi voi vorrei dimmi spiegami puoi può possono""".split()
)
"""Italian words that carry grammar and no subject."""

_BOTH = ENGLISH & ITALIAN
_ACCENTS = re.compile("[àèéìòù]", re.IGNORECASE)
_ITALIAN_ENDINGS = ("zione", "zioni", "mente", "ità", "aggio", "aggi", "ezza", "iche", "ico", "ica")


async def question_language(text: str, documents: Collection[str] = ()) -> str:
    """ISO 639-1 code, "" when it cannot be told. `documents`: the languages there are, which settle a doubt."""
    told = _by_small_words(text, documents)
    return await language_of(text) if told is None else told


def _by_small_words(text: str, documents: Collection[str]) -> str | None:
    """As above; None where only a guess is left."""
    words = [word.lower() for word in _WORD.findall(text[:2_000])]
    english = sum(word in ENGLISH and word not in _BOTH for word in words)
    italian: float = sum(word in ITALIAN and word not in _BOTH for word in words)
    italian += (
        bool(_ACCENTS.search(text[:2_000])) + any(word.endswith(_ITALIAN_ENDINGS) for word in words) * 0.5
    )
    # One small word among twenty is a name or a quotation; another language has its own.
    if max(english, italian) >= max(0.5, len(words) / 10) and english != italian:
        return "en" if english > italian else "it"
    known = {code for code in documents if code}
    if len(words) < 4:
        return next(iter(known)) if len(known) == 1 else ""
    return None


def content_words(text: str) -> list[str]:
    """The words that carry a subject, as written, in order, each once (numbers too)."""
    found: dict[str, str] = {}
    for word in re.findall(r"[^\W_]+", text):
        lowered = word.lower()
        if lowered not in ENGLISH and lowered not in ITALIAN and (len(word) > 1 or word.isdigit()):
            found.setdefault(lowered, word)
    return list(found.values())
