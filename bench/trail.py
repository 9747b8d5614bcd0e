"""The audit trail at a size: written and sealed as the product does it, and verified in a process that does nothing else.

    python -m bench.trail FOLDER --events 1000000    writes it
    python -m bench.trail FOLDER                     verifies it

Events are 250 to a block, of 200 people; memory is the resident set of the verifying process.
"""

import argparse
import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path

from bench.processes import memory_mb
from youworker_app.audit.repository import AuditRepository
from youworker_app.audit.schemas import TrailReport
from youworker_app.audit.service import AuditService
from youworker_app.audit.trail import Trail
from youworker_app.core.crypto import MasterKeys
from youworker_app.core.db import Database
from youworker_app.core.keys import DataKeys
from youworker_app.core.migrations import migrate
from youworker_app.core.secrets import load_master_keys
from youworker_app.core.settings import Settings

_TOGETHER = 250
_PEOPLE = 200


@dataclass(frozen=True)
class Somebody:
    """An actor, as far as the trail wants to know."""

    user_id: str
    credential_id: str


@dataclass(frozen=True)
class Parts:
    """The trail of an installation in a folder."""

    db: Database
    audit: AuditService
    trail: Trail

    @classmethod
    def of(cls, settings: Settings) -> "Parts":
        """Opens it; its key is made where there is none."""
        keys = DataKeys(MasterKeys(load_master_keys(settings)))
        db, audit = Database(settings.database_url()), AuditService(keys)
        return cls(db, audit, Trail.over(db, keys, audit, (), settings.audit))


async def write(parts: Parts, events: int) -> None:
    """Adds so many events, each block sealed as soon as it is full."""
    people = [Somebody(f"person-{number}", f"key-{number}") for number in range(_PEOPLE)]
    for start in range(0, events, _TOGETHER):
        numbers = range(start, min(start + _TOGETHER, events))
        made = [
            parts.audit.event(
                people[n % _PEOPLE], "document.opened", "document", f"document-{n}", "ok", {"page": n}
            )
            for n in numbers
        ]
        async with parts.db.write() as unit:
            await AuditRepository(unit).add(made)
        await parts.trail.sealer.seal()


async def verify(parts: Parts) -> tuple[TrailReport, float, float]:
    """(what was found, seconds, 10^6 bytes by which memory grew from the first tenth on)."""
    begun, early, most = time.perf_counter(), 0.0, 0.0
    async for report in parts.trail.verifier.steps():
        resident = memory_mb(os.getpid())[0]
        if report.last_block * 10 <= report.until_block:
            early = max(early, resident)
        most = max(most, resident)
    return report, time.perf_counter() - begun, most - early


async def _main(folder: Path, events: int) -> None:
    settings = Settings(data_dir=folder)
    if events:
        await migrate(settings.database_url())
    parts = Parts.of(settings)
    try:
        if events:
            await write(parts, events)
            return
        report, seconds, grown = await verify(parts)
        assert report.is_intact, report.first_broken
        print(
            f"events {report.events}\nblocks {report.blocks}\nseconds {seconds:.2f}\ngrown_mb {max(grown, 0):.1f}"
        )
    finally:
        await parts.db.close()


def main() -> None:
    """Writes or verifies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=0)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_main(given.folder, given.events))


if __name__ == "__main__":
    main()
