"""Events inside the process: tell whoever listens that something changed. Nothing here is a source of truth.

A topic is a string such as `user:<id>`; an event carries names and ids, never content.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

QUEUE_LIMIT = 256


@dataclass(frozen=True)
class Event:
    """`name` says what changed, `subject_id` which one."""

    name: str
    subject_id: str = ""


class EventBus:
    """Publish and subscribe. A slow listener loses the oldest events, never blocks the publisher."""

    def __init__(self) -> None:
        self._queues: dict[str, set[asyncio.Queue[Event]]] = defaultdict(set)

    def publish(self, topic: str, event: Event) -> None:
        """Hands the event to every listener of the topic."""
        for queue in self._queues.get(topic, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    @asynccontextmanager
    async def subscribe(self, topic: str) -> AsyncIterator[asyncio.Queue[Event]]:
        """A queue that receives the topic's events while the block lasts."""
        queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE_LIMIT)
        self._queues[topic].add(queue)
        try:
            yield queue
        finally:
            self._queues[topic].discard(queue)
            if not self._queues[topic]:
                del self._queues[topic]


def user_topic(user_id: str) -> str:
    """The topic of one person."""
    return f"user:{user_id}"
