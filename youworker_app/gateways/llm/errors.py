"""What can go wrong while a model answers. Names models and addresses, never a prompt or an answer."""

from youworker_app.core.errors import DependencyAway


class ModelAway(DependencyAway):
    code = "MODEL_AWAY"
    template = "Ollama cannot be reached at {url}. Start it or correct its address."


class ModelMissing(DependencyAway):
    code = "MODEL_MISSING"
    template = "Ollama does not have the model {model}. Choose another, or get it with `ollama pull {model}`."


class ModelStalled(DependencyAway):
    code = "MODEL_STALLED"
    template = "The model {model} was silent for {seconds} seconds and was stopped. Try again or choose a smaller one."


class ModelOutOfMemory(DependencyAway):
    code = "MODEL_OUT_OF_MEMORY"
    template = (
        "The machine that runs Ollama has too little free memory for the model {model}. Choose a smaller one, or free "
        "memory there and ask again."
    )


class ModelFailed(DependencyAway):
    code = "MODEL_FAILED"
    template = "The model {model} could not answer: {reason}"
