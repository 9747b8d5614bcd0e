"""Telling languages apart, and naming them as the sparse index does."""

import pytest
from qdrant_edge import Bm25, Bm25Config

from tests.files import ENGLISH, ITALIAN
from youworker_app.ingestion.language import LANGUAGE_NAMES, _identifier, detect_language, language_of


@pytest.mark.parametrize(
    ("sample", "language"),
    [
        (ENGLISH, "en"),
        (ITALIAN, "it"),
        ("Come si chiede il rimborso di una trasferta?", "it"),
        ("How do I ask for a refund of a business trip?", "en"),
        ("Fattura n. 118 del 3 marzo 2026, scadenza a 60 giorni", "it"),
        ("Der Mietvertrag beginnt am ersten März und endet nach sechs Jahren.", "de"),
        ("Le bail commence le premier mars et prend fin au bout de six ans.", "fr"),
        ("El contrato comienza el primero de marzo y termina después de seis años.", "es"),
        ("IL CONTRATTO DI LOCAZIONE DECORRE DAL PRIMO MARZO", "it"),
    ],
)
def test_known_languages(sample: str, language: str) -> None:
    assert detect_language(sample) == language


@pytest.mark.parametrize(
    "sample", ["", "   ", "12.50 | 13.40 | 99", "https://example.org/percorso/della/pagina", "ok", "xqz vwk"]
)
def test_when_unsure_it_is_english(sample: str) -> None:
    assert detect_language(sample) == "en"


@pytest.mark.parametrize("name", LANGUAGE_NAMES.values())
def test_the_sparse_index_knows_every_language(name: str) -> None:
    assert Bm25(Bm25Config(language=name)) is not None


async def test_the_language_of_a_document_is_told_in_the_same_way() -> None:
    _identifier.cache_clear()
    assert [await language_of(ITALIAN), await language_of(ENGLISH)] == ["it", "en"]


def test_languages_that_no_text_is_taken_for_are_not_kept_in_memory() -> None:
    identifier = _identifier()
    identifier.set_languages(None)  # all that it has
    assert set(identifier.nb_classes) == LANGUAGE_NAMES.keys()


def test_endless_samples_cost_no_more_than_short_ones() -> None:
    assert detect_language(ITALIAN * 10_000) == "it"
