"""The small company of the matrix: who is in it and what belongs to whom, as tables, and the ids that it got when it was made.

Everybody stands in another relation to everything. Who may do what is not said here but in rules.py, from the same tables.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from tests.isolation.rules import Level, Paper, Team, level, team_level
from youworker_app.access.actor import Scope
from youworker_app.api.cookies import SESSION_COOKIE
from youworker_app.core.ids import new_id

# `former` was in the north until just now, `suspended` is in it and may not sign in, `root` administers the installation.
PEOPLE = ("owner", "admin", "member", "former", "stranger", "root", "suspended")
ACTIVE = PEOPLE[:-1]

TEAMS: Mapping[str, Team] = {
    "north": Team(3, {"owner": "admin", "admin": "admin", "member": "member", "suspended": "member"}),
    "south": Team(2, {"stranger": "admin", "member": "member"}),
}

# Each with a word that stands in it and nowhere else.
PAPERS: Mapping[str, Paper] = {
    "private": Paper("owner"),
    "hidden": Paper("owner", "north", True),
    "shared": Paper("owner", "north", False),
    "viewable": Paper("owner", "north", False, 2),
    "askable": Paper("owner", "north", False, 1),
    "southern": Paper("stranger", "south", False),
    "narrowed": Paper("stranger", "south", False, 1),
    "left": Paper("former", "north", False),
    "kept": Paper("former", "north", True),
    "personal": Paper("member"),
    "rooted": Paper("root"),
}


# Those that are PDFs; the others are texts, which have no pages.
PICTURED = ("shared", "viewable")


@dataclass(frozen=True)
class DocumentIds:
    """What names a document and its parts, and the words that only it holds."""

    document_id: str
    file_id: str
    job_id: str
    chunk_ids: tuple[str, ...]
    word: str
    tag: str


@dataclass(frozen=True)
class ChatIds:
    """What names a person's conversation and its parts, and the word that only it holds."""

    session_id: str
    run_id: str
    message_id: str
    question_id: str
    word: str


@dataclass(frozen=True)
class Pass:
    """How a person comes in: the secret of a session with its CSRF token, and an API key for every scope."""

    user_id: str
    token: str
    csrf: str
    key: str
    key_id: str
    login_id: str

    @property
    def cookie(self) -> str:
        return f"{SESSION_COOKIE}={self.token}"

    def headers(self, carrier: str) -> dict[str, str]:
        if carrier == "key":
            return {"authorization": f"Bearer {self.key}"}
        return {"cookie": self.cookie, "x-csrf-token": self.csrf}


CARRIERS = ("cookie", "key")


@dataclass(frozen=True)
class Target:
    """Something that ids name. `ids` by the name of the parameter; `levels` what each person has towards it."""

    name: str
    ids: Mapping[str, str]
    levels: Mapping[str, Level]

    def unknown(self) -> "Target":
        """The same parameters with ids and words of nothing at all; a page stays."""
        made = {key: new_id() if key != "page" else value for key, value in self.ids.items()}
        return Target("unknown", made, dict.fromkeys(PEOPLE, Level.NOTHING))


@dataclass
class Facts:
    """Everything that is known about the company, by name."""

    passes: dict[str, Pass] = field(default_factory=dict)
    teams: dict[str, str] = field(default_factory=dict)
    papers: dict[str, DocumentIds] = field(default_factory=dict)
    chats: dict[str, ChatIds] = field(default_factory=dict)
    scoped: dict[Scope, str] = field(default_factory=dict)  # the owner's key for every other scope

    def targets(self, kind: str) -> list[Target]:
        """All things of a kind; the kinds are the methods below."""
        return getattr(self, f"_{kind}s")()  # type: ignore[no-any-return]

    def _documents(self) -> list[Target]:
        return [
            Target(name, {"document_id": ids.document_id}, paper_levels(name))
            for name, ids in self.papers.items()
        ]

    def _files(self) -> list[Target]:
        return [
            Target(name, {"file_id": ids.file_id}, paper_levels(name)) for name, ids in self.papers.items()
        ]

    def _pages(self) -> list[Target]:
        return [Target(each.name, {**each.ids, "page": "1"}, each.levels) for each in self._files()]

    def _jobs(self) -> list[Target]:
        return [
            Target(name, {"job_id": ids.job_id}, _only(PAPERS[name].owner))
            for name, ids in self.papers.items()
        ]

    def _sessions(self) -> list[Target]:
        return [Target(who, {"session_id": chat.session_id}, _only(who)) for who, chat in self.chats.items()]

    def _messages(self) -> list[Target]:
        return [Target(who, {"message_id": chat.message_id}, _only(who)) for who, chat in self.chats.items()]

    def _runs(self) -> list[Target]:
        return [Target(who, {"run_id": chat.run_id}, _only(who)) for who, chat in self.chats.items()]

    def _keys(self) -> list[Target]:
        return [Target(who, {"key_id": each.key_id}, _only(who)) for who, each in self.passes.items()]

    def _logins(self) -> list[Target]:
        return [Target(who, {"login_id": each.login_id}, _only(who)) for who, each in self.passes.items()]

    def _groups(self) -> list[Target]:
        return [
            Target(name, {"group_id": group_id}, _team_levels(name)) for name, group_id in self.teams.items()
        ]

    def _members(self) -> list[Target]:
        return [
            Target(
                f"{who} in {team}",
                {"group_id": group_id, "user_id": self.passes[who].user_id},
                _team_levels(team),
            )
            for team, group_id in self.teams.items()
            for who in TEAMS[team].roles
        ]

    def _leavers(self) -> list[Target]:
        """Memberships as their own person sees them too, who may always end them."""
        found = []
        for each in self._members():
            who = each.name.split()[0]
            found.append(Target(each.name, each.ids, {**each.levels, who: Level.OWN}))
        return found

    def _places(self) -> list[Target]:
        """Groups as filters of a list: whoever left a document there still finds it."""
        return [
            Target(
                each.name,
                each.ids,
                {
                    who: Level.VIEW if _left_something(who, each.name) else has
                    for who, has in each.levels.items()
                },
            )
            for each in self._groups()
        ]

    def _words(self) -> list[Target]:
        """What only one document has: a tag, a name, a word of its text."""
        return [
            Target(name, {"tag": ids.tag, "name": f"{name}-paper", "text": ids.word}, paper_levels(name))
            for name, ids in self.papers.items()
        ]

    def _titles(self) -> list[Target]:
        return [Target(who, {"title": chat.word}, _only(who)) for who, chat in self.chats.items()]

    def _chunks(self) -> list[Target]:
        return [
            Target(name, {"chunk_id": chunk_id}, paper_levels(name))
            for name, ids in self.papers.items()
            for chunk_id in ids.chunk_ids
        ]

    def _users(self) -> list[Target]:
        """People as root administers them."""
        return [
            Target(
                who,
                {"user_id": each.user_id},
                {one: Level.OWN if one == "root" else Level.NOTHING for one in PEOPLE},
            )
            for who, each in self.passes.items()
        ]

    def _persons(self) -> list[Target]:
        return [
            Target(who, {"user_id": each.user_id}, dict.fromkeys(PEOPLE, Level.NOTHING))
            for who, each in self.passes.items()
        ]

    def secrets(self, person: str) -> dict[str, str]:
        """What must never come before this person's eyes: `{string: what it is}`."""
        found: dict[str, str] = {}
        for name, ids in self.papers.items():
            has = paper_levels(name)[person]
            if has is Level.NOTHING:
                parts = {
                    "document": ids.document_id,
                    "file": ids.file_id,
                    "text": ids.word,
                    "name": f"{name}-paper",
                    "tag": ids.tag,
                }
                found |= {value: f"{part} of {name}" for part, value in parts.items()}
                found |= dict.fromkeys(ids.chunk_ids, f"passage of {name}")
            if person != PAPERS[name].owner:
                found[ids.job_id] = f"job of {name}"
        for who, chat in self.chats.items():
            if who != person:
                parts = {
                    "session": chat.session_id,
                    "run": chat.run_id,
                    "answer": chat.message_id,
                    "question": chat.question_id,
                    "words": chat.word,
                }
                found |= {value: f"{part} of {who}" for part, value in parts.items()}
        for who, each in self.passes.items():
            if who != person:
                found |= {
                    each.key_id: f"key of {who}",
                    each.login_id: f"device of {who}",
                    each.token: f"session of {who}",
                    each.key: f"key of {who}",
                }
        for team, group_id in self.teams.items():
            if person not in TEAMS[team].roles:
                found[f"{team}-team"] = f"name of group {team}"
                if not _left_something(person, team):
                    found[group_id] = f"group {team}"
        return found

    def remembered(self, person: str) -> dict[str, str]:
        """Secrets that stay in this person's own conversation: what an answer quoted while they were in the group."""
        if person != "former":
            return {}
        known = [
            self.papers[name] for name, paper in PAPERS.items() if paper.is_shared and paper.team == "north"
        ]
        kept = [value for ids in known for value in (ids.document_id, ids.word, *ids.chunk_ids)]
        names = [
            f"{name}-paper" for name, paper in PAPERS.items() if paper.is_shared and paper.team == "north"
        ]
        return {value: what for value, what in self.secrets(person).items() if value in {*kept, *names}}


def paper_levels(name: str) -> dict[str, Level]:
    """What everybody has towards a document."""
    return {person: level(person, PAPERS[name], TEAMS) for person in PEOPLE}


def visible_papers(person: str, least: Level) -> set[str]:
    """The documents towards which the person has at least this."""
    return {name for name in PAPERS if paper_levels(name)[person] >= least}


def _left_something(person: str, team: str) -> bool:
    return any(paper.owner == person and paper.team == team for paper in PAPERS.values())


def _team_levels(name: str) -> dict[str, Level]:
    return {person: team_level(person, TEAMS[name]) for person in PEOPLE}


def _only(owner: str) -> dict[str, Level]:
    return {person: Level.OWN if person == owner else Level.NOTHING for person in PEOPLE}


def found_in(text: str, secrets: Mapping[str, str], sent: Collection[str] = ()) -> set[str]:
    """Which secrets stand in a text, but for those that its reader sent themselves."""
    return {what for secret, what in secrets.items() if secret in text and secret not in sent}
