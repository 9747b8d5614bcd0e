"""How a collection on a Qdrant server is built and searched, from the settings: at its making, and again at every start.

Everything but the dimension can be changed on a collection that is there; the server then rebuilds its graphs by itself.
"""

from qdrant_client import models

from youworker_app.core.settings import VectorSettings
from youworker_app.gateways.vectors import rules


def new_vectors(settings: VectorSettings, dimension: int) -> dict[str, models.VectorParams]:
    """The dense vectors of a collection that is made."""
    return {
        rules.DENSE: models.VectorParams(
            size=dimension,
            distance=models.Distance.COSINE,
            hnsw_config=_graph(settings),
            quantization_config=_copies(settings),
            on_disk=settings.on_disk,
        )
    }


def changed_vectors(settings: VectorSettings) -> dict[str, models.VectorParamsDiff]:
    """The same for a collection that is there."""
    return {
        rules.DENSE: models.VectorParamsDiff(
            hnsw_config=_graph(settings),
            quantization_config=_copies(settings) or models.Disabled.DISABLED,
            on_disk=settings.on_disk,
        )
    }


def sparse_vectors(settings: VectorSettings) -> dict[str, models.SparseVectorParams]:
    """The BM25 vectors; the server weighs them by rarity."""
    index = models.SparseIndexParams(on_disk=settings.on_disk)
    return {rules.SPARSE: models.SparseVectorParams(index=index, modifier=models.Modifier.IDF)}


def is_as_set(config: models.CollectionConfig, settings: VectorSettings) -> bool:
    """Whether a collection is built as the settings say."""
    dense, sparse = config.params.vectors, (config.params.sparse_vectors or {}).get(rules.SPARSE)
    made = dense.get(rules.DENSE) if isinstance(dense, dict) else None
    if made is None or sparse is None:
        return False
    wanted = new_vectors(settings, made.size)[rules.DENSE]
    return (
        _given(made.hnsw_config) == _given(wanted.hnsw_config)
        and _given(made.quantization_config) == _given(wanted.quantization_config)
        and bool(made.on_disk) == settings.on_disk
        and bool(sparse.index and sparse.index.on_disk) == settings.on_disk
    )


def dense_search(settings: VectorSettings) -> models.SearchParams:
    """How vectors are searched. The server widens the search by itself where more hits are asked for than `hnsw_ef`."""
    copies = None
    if settings.quantization != "none":
        copies = models.QuantizationSearchParams(rescore=settings.rescore, oversampling=settings.oversampling)
    return models.SearchParams(hnsw_ef=settings.hnsw_ef, quantization=copies)


def _graph(settings: VectorSettings) -> models.HnswConfigDiff:
    return models.HnswConfigDiff(
        m=settings.hnsw_m,
        payload_m=settings.hnsw_payload_m,
        ef_construct=settings.hnsw_ef_construct,
        on_disk=settings.on_disk,
    )


def _copies(settings: VectorSettings) -> models.ScalarQuantization | models.BinaryQuantization | None:
    # In memory even where the vectors are not: that is what they are for.
    if settings.quantization == "scalar":
        config = models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
        return models.ScalarQuantization(scalar=config)
    if settings.quantization == "binary":
        return models.BinaryQuantization(binary=models.BinaryQuantizationConfig(always_ram=True))
    return None


def _given(config: object) -> object:
    """A configuration without what nobody set: servers fill in their own defaults."""
    if isinstance(config, models.HnswConfigDiff):
        wanted = {"m", "payload_m", "ef_construct", "on_disk"}
        return {
            key: value for key, value in config.model_dump().items() if key in wanted and value is not None
        }
    if isinstance(config, models.ScalarQuantization | models.BinaryQuantization):
        return config.model_dump(exclude_none=True)
    return None
