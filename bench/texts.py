"""The texts that are put in: English sentences of Python's own manual, shuffled by seed, and needles among them."""

import random
import re
from dataclasses import dataclass
from functools import cache
from pydoc_data.topics import topics

_SENTENCE = re.compile(r"[A-Z][^.!?]{30,240}[.!?]")
_PARAGRAPH = 6  # sentences


@dataclass(frozen=True)
class Needle:
    """A sentence that stands in one place; `question` asks for it by its number, `code` proves that it was found."""

    code: str
    question: str
    sentence: str


@cache
def sentences() -> tuple[str, ...]:
    """Some thousands, in a fixed order."""
    plain = " ".join(" ".join(topics[name].split()) for name in sorted(topics))
    return tuple(dict.fromkeys(_SENTENCE.findall(plain)))


def text(size: int, seed: int, needles: tuple[Needle, ...] = ()) -> str:
    """About `size` characters, the needles spread over them. Another seed is another text, with a title of its own."""
    drawn = random.Random(seed)
    paragraphs, length = [f"Note {seed} of the archive."], 0
    while length < size:
        paragraphs.append(" ".join(drawn.choices(sentences(), k=_PARAGRAPH)))
        length += len(paragraphs[-1]) + 2
    paragraphs[-1] = paragraphs[-1][: max(40, len(paragraphs[-1]) - (length - size))]
    for number, needle in enumerate(needles):
        place = 1 + (len(paragraphs) - 1) * number // len(needles)
        paragraphs[place] = f"{paragraphs[place]} {needle.sentence}"
    return "\n\n".join(paragraphs)


def make_needles(count: int, seed: int = 1) -> list[Needle]:
    """Each with a number that stands nowhere else."""
    drawn = random.Random(seed)
    return [_needle(number) for number in drawn.sample(range(100_000, 1_000_000), count)]


def _needle(number: int) -> Needle:
    code = f"K{number}"
    return Needle(
        code,
        f"Where is the cabinet with the number {code}?",
        f"The cabinet with the number {code} stands on the floor below the library.",
    )
