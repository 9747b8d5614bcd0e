"""What can go wrong with the search index, told to a person."""

from youworker_app.core.errors import ConfigurationError, DependencyAway


class VectorStoreAway(DependencyAway):
    """The store does not answer, refuses, or is closed; trying again later may help."""

    code = "VECTOR_STORE_AWAY"
    template = (
        "The search index cannot be reached at the moment. Documents and chats are safe. "
        "Try again; if it stays so, ask an administrator."
    )


class VectorKeyRefused(VectorStoreAway):
    """The server does not take our key."""

    code = "VECTOR_KEY_REFUSED"
    template = (
        "The search index refuses YouWorker's key. Documents and chats are safe. An administrator has to set "
        "YOUWORKER_VECTORS_QDRANT_API_KEY to the key of the Qdrant server."
    )


class VectorIndexLost(VectorStoreAway):
    """The server answers, but our collection is gone from it. It is made anew and filled again in the background."""


class IndexMismatch(ConfigurationError):
    """The index holds another model's vectors. Details: made_with, made_dimension, configured, dimension."""

    code = "VECTOR_INDEX_MISMATCH"
    template = (
        "The search index was made with the model {made_with} ({made_dimension} dimensions), but "
        "{configured} ({dimension} dimensions) is configured now. Configure the former model again, or run "
        "`youworker vectors reindex` to rebuild the index."
    )


class VectorIndexRebuilding(DependencyAway):
    """Another embedding model is configured than the one that made the index: until it is rebuilt, words alone are found."""

    code = "VECTOR_INDEX_REBUILDING"
    template = (
        "The search index is being rebuilt for another embedding model. Until that is done, documents are found by "
        "their words only. Try again later, or ask with words that stand in the document."
    )


class VectorFolderInUse(ConfigurationError):
    """Another process, or another store in this one, owns the folder. Detail: folder."""

    code = "VECTOR_FOLDER_IN_USE"
    template = (
        "The search index in {folder} is in use by another YouWorker. Stop that one first, or give this one "
        "a data folder of its own."
    )


class VectorIndexDamaged(ConfigurationError):
    """The files are there and cannot be read. Detail: folder."""

    code = "VECTOR_INDEX_DAMAGED"
    template = (
        "The search index in {folder} cannot be read. The documents are not affected: run "
        "`youworker vectors reindex` to rebuild the index."
    )


class VectorCollectionForeign(ConfigurationError):
    """A collection of that name was not made by this product, which leaves it alone. Detail: collection."""

    code = "VECTOR_COLLECTION_FOREIGN"
    template = (
        "The collection {collection} on the Qdrant server was not made by YouWorker and is left alone. Set "
        "YOUWORKER_VECTORS_COLLECTION to another name."
    )


class VectorServerTooOld(ConfigurationError):
    """The Qdrant server cannot count a word's rarity within what one may see. Details: version, needed."""

    code = "VECTOR_SERVER_TOO_OLD"
    template = (
        "The Qdrant server has version {version}, but version {needed} or newer is needed. Please update it."
    )
