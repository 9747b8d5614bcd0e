"""What people do all day, drawn by seed: upload, move, delete, ask, stop, let somebody in and out."""

import random
from collections.abc import Sequence

from tests.crash.journal import PRIVATE, Journal, Paper
from tests.crash.people import Gone, Person, together
from tests.files import pdf_of, wrapped

_WORDS = (
    "lease tenant rent landlord contract notice month year cellar boiler roof garden meeting minutes invoice "
    "supplier delivery warehouse pallet customs holiday sickness payroll pension training safety helmet ladder"
).split()
_PASSAGE_CHARS = 600  # a paragraph that fills a passage of its own
AT_ONCE = 16


class Desk:
    """Makes papers and questions that never come twice."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def paper(self, owner: str, place: str, *, passages: int = 0) -> Paper:
        """A new document: a text, a note in Markdown or a PDF of some pages."""
        rng = self._rng
        mark = f"zq{rng.getrandbits(48):012x}"
        kind = rng.choice(("txt", "txt", "md", "pdf"))
        count = passages or rng.choice((1, 1, 2, 5, 40, 70))
        if kind == "pdf":
            content = pdf_of([wrapped(self._paragraph(mark, n)) for n in range(min(count, 5))])
        else:
            content = "\n\n".join(self._paragraph(mark, number) for number in range(count)).encode()
        return Paper(owner, f"{mark}.{kind}", content, mark, {place})

    def question(self) -> str:
        """A new question."""
        return f"What does the lease say about question-{self._rng.getrandbits(48):012x}?"

    def _paragraph(self, mark: str, number: int) -> str:
        words = [mark, f"{mark}n{number}"]
        while sum(map(len, words)) + len(words) < _PASSAGE_CHARS:
            words.append(self._rng.choice(_WORDS))
        return " ".join(words) + "."


class Day:
    """One person's work until the server is gone, or for so many steps."""

    def __init__(self, person: Person, rng: random.Random, journal: Journal) -> None:
        self._person, self._rng, self._journal = person, rng, journal
        self._desk = Desk(rng)

    async def work(self, steps: int) -> None:
        """Works; ends early when the server does."""
        try:
            for _ in range(steps):
                await self._step()
        except Gone:
            return

    async def _step(self) -> None:
        doing = {
            self._one: 20,
            self._several: 12,
            self._crowd: 6,
            self._again: 8,
            self._move: 22,
            self._delete: 10,
            self._ask: 22,
            self._rights: 10 if self._person.name == "anna" else 0,
        }
        await self._rng.choices(list(doing), weights=list(doing.values()))[0]()

    async def _one(self) -> None:
        await self._person.upload([self._paper()])

    async def _several(self) -> None:
        first = self._paper()
        others = [
            self._desk.paper(first.owner, *first.places, passages=1) for _ in range(self._rng.randint(1, 4))
        ]
        await self._person.upload([first, *others])

    async def _crowd(self) -> None:
        """Many uploads at once, half of them the same file."""
        place = self._place()
        same = self._desk.paper(self._person.name, place, passages=1)
        others = [self._desk.paper(self._person.name, place, passages=1) for _ in range(AT_ONCE // 2)]
        await together(
            *(self._person.upload([paper]) for paper in [*others, *[same] * (AT_ONCE - len(others))])
        )

    async def _again(self) -> None:
        if known := self._known():
            await self._person.upload([self._rng.choice(known)])

    async def _move(self) -> None:
        if known := self._known():
            paper = self._rng.choice(known)
            here = next(iter(paper.places))
            await self._person.move(
                paper, self._rng.choice([place for place in self._places() if place != here])
            )

    async def _delete(self) -> None:
        if known := self._known():
            await self._person.delete(self._rng.choice(known))

    async def _rights(self) -> None:
        await self._person.let_in(is_member=self._rng.random() < 0.5)

    async def _ask(self) -> None:
        sessions = [talk.session_id for talk in self._journal.talks if talk.owner == self._person.name]
        session_id = self._rng.choice(["", *sessions[-2:]])
        stop_after = self._rng.choice((0, 0, 0, 3))
        await self._person.ask(self._desk.question(), session_id=session_id, stop_after=stop_after)

    def _paper(self) -> Paper:
        return self._desk.paper(self._person.name, self._place())

    def _known(self) -> list[Paper]:
        return self._journal.of(self._person.name)

    def _places(self) -> Sequence[str]:
        return [PRIVATE, *self._person.groups]

    def _place(self) -> str:
        return self._rng.choice(self._places())
