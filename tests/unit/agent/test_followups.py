import pytest

from youworker_app.agent.followups import leans, search_text
from youworker_app.agent.schemas import Turn


def asked(*texts: str) -> tuple[Turn, ...]:
    """User turns, each with an answer."""
    return tuple(turn for text in texts for turn in (Turn("user", text), Turn("assistant", "Zebra [1].")))


@pytest.mark.parametrize(
    "text",
    [
        "Why?",
        "How much does it cost?",
        "Who signed it?",
        "And the deposit?",
        "What about the roof?",
        "When does this end?",
        "Perché?",
        "Quanto costa?",
        "E la caparra?",
        "Chi lo ha firmato?",
        "Quando finisce questo?",
        "Quali sono le sue regole?",
        "Invece il tetto vecchio?",
        "?",
    ],
)
def test_it_leans(text: str) -> None:
    assert leans(text)


@pytest.mark.parametrize(
    "text",
    [
        "What is the notice period of the rental contract?",
        "Which vaccines does a puppy need?",
        "Is it allowed to hang laundry in the yard between two and four on Sundays?",
        "Qual è il preavviso previsto dal contratto di affitto?",
        "Quali vaccini servono a un cucciolo?",
        "Chi ha firmato il contratto con Rossi?",
        "Summarise the contract with the supplier",
    ],
)
def test_it_stands_alone(text: str) -> None:
    assert not leans(text)
    assert search_text(text, asked("What is the zebra?")) == text


def test_the_terms_of_the_last_question_are_carried_over_once() -> None:
    history = asked("What is the notice period of the Rossi contract?")
    assert search_text("Who signed it?", history) == "Who signed it? notice period Rossi contract"
    assert search_text("And the contract end?", history) == "And the contract end? notice period Rossi"


def test_older_turns_count_only_while_those_between_lean_as_well() -> None:
    chain = asked("Where is the red boiler?", "How old is the grey lift cable?", "Who serviced it?")
    carried = search_text("When?", chain)
    assert carried == "When? serviced old grey lift cable"


def test_answers_are_not_carried_and_nothing_is_without_history() -> None:
    assert "Zebra" not in search_text("Why?", asked("Where is the boiler?"))
    assert search_text("Why?", ()) == "Why?"


def test_what_is_carried_has_a_bound() -> None:
    long = " ".join(f"term{n}" for n in range(500)) + " " + "x" * 1_000
    assert len(search_text("Why?", asked(long)).split()) == 9
    assert len(search_text("y" * 1_000_000, asked(long))) < 16_000
    assert search_text("a " * 20_000 + "boiler", ()).endswith("boiler")
