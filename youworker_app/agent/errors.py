"""What can be wrong with a question to a model."""

from youworker_app.core.errors import Unprocessable


class QuestionTooLongForModel(Unprocessable):
    """Details: model, max_chars."""

    code = "QUESTION_TOO_LONG_FOR_MODEL"
    template = (
        "The question is longer than the model {model} can read (about {max_chars} characters). "
        "Shorten it, upload the text as a document, or choose a model that reads more."
    )
