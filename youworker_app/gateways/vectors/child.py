"""The process of the embedded index: `python -m …vectors.child`, frames on its pipes, one shard.

It has no environment and no logs, and ends with its parent: when the pipe closes it is gone at once, since what was
acknowledged is in the write-ahead log. Requests are answered in the order in which they come, but a write is told
only once it is on disk, and meanwhile the next searches are answered.
"""

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from json import loads
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from youworker_app.gateways.vectors import wire
from youworker_app.gateways.vectors.shard import Shard, ShardFailed

# Points written between two flushes: what a start after a crash has to read again, under a second.
_FLUSH_AFTER = 20_000
# Points written, or seconds of quiet, after which the pages that were touched are given back.
_GIVE_BACK_AFTER, _GIVE_BACK_AFTER_S = 1_000, 5.0

Head: TypeAlias = dict[str, Any]


def main() -> None:
    """Serves the parent until it closes or dies."""
    # The terminal's Ctrl-C is for the server, which ends its children.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ShardServer(sys.stdin.buffer, sys.stdout.buffer).serve()
    # No orderly end of the interpreter: nobody listens, and a new server may be waiting for the folder.
    os._exit(0)


@dataclass(frozen=True, slots=True)
class _Written:
    """What waits for the disk; `number` is the request that is to be told, if one is."""

    number: int | None
    changes: int


class ShardServer:
    """Answers requests about one shard."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source, self._sink, self._speaking = source, sink, threading.Lock()
        self._open: Shard | None = None
        self._written: queue.SimpleQueue[_Written | None] = queue.SimpleQueue()
        self._is_touched, self._unkept = False, 0
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._answers: dict[str, Callable[[Head, bytes], tuple[Head, bytes]]] = {
            "create": self._create,
            "open": self._load,
            "dense": self._dense,
            "sparse": self._sparse,
            "read": self._read,
            "list": self._list,
            "count": lambda _head, _body: ({"count": self._shard.count()}, b""),
            "count_by": lambda head, _body: ({"counts": self._shard.count_by(head["field"])}, b""),
            "flush": self._flush,
            "close": self._close,
        }
        self._writes: dict[str, Callable[[Head, bytes], int]] = {
            "upsert": self._upsert,
            "set_visibility": self._set_visibility,
            "delete_document": self._delete_document,
            "delete_points": self._delete_points,
        }

    def serve(self) -> None:
        """Returns when the pipe closes."""
        while (frame := self._receive()) is not None:
            head, body = frame
            self._is_touched = True
            try:
                self._answer(head, body)
            except ShardFailed as error:
                kind = wire.DAMAGED if head["do"] == "open" else wire.FAILED
                self._send({"id": head["id"], "error": kind, "reason": str(error)})

    @property
    def _shard(self) -> Shard:
        if self._open is None:
            raise ShardFailed("not open")
        return self._open

    def _answer(self, head: Head, body: bytes) -> None:
        if write := self._writes.get(head["do"]):
            self._unkept += write(head, body)
            if head["sync"]:
                self._hand_to_keeper(head["id"])
                return
            self._send({"id": head["id"]})
            if self._unkept >= _GIVE_BACK_AFTER:
                self._hand_to_keeper(None)
            return
        reply, out = self._answers[head["do"]](head, body)
        self._send({"id": head["id"], **reply}, out)

    def _hand_to_keeper(self, number: int | None) -> None:
        self._written.put(_Written(number, self._unkept))
        self._unkept = 0

    def _create(self, head: Head, _body: bytes) -> tuple[Head, bytes]:
        Shard.create(Path(head["path"]), head["dimension"])
        return {}, b""

    def _load(self, head: Head, _body: bytes) -> tuple[Head, bytes]:
        self._open = Shard(Path(head["path"]), head["dimension"])
        self._keeper.start()
        return {}, b""

    def _dense(self, head: Head, body: bytes) -> tuple[Head, bytes]:
        vector = wire.floats(body)
        hits = self._shard.search_dense(vector, head["visibility"], head["limit"], head["documents"])
        return {"hits": hits}, b""

    def _sparse(self, head: Head, body: bytes) -> tuple[Head, bytes]:
        terms, weights = wire.sparse(body)
        hits = self._shard.search_sparse(terms, weights, head["visibility"], head["limit"], head["documents"])
        return {"hits": hits}, b""

    def _read(self, head: Head, _body: bytes) -> tuple[Head, bytes]:
        return wire.pack_rows(self._shard.read(head["after"], head["limit"]))

    def _list(self, head: Head, _body: bytes) -> tuple[Head, bytes]:
        return {"points": self._shard.list_points(head["after"], head["limit"], head["document"])}, b""

    def _flush(self, _head: Head, _body: bytes) -> tuple[Head, bytes]:
        self._shard.sync()
        self._shard.flush()
        return {}, b""

    def _close(self, _head: Head, _body: bytes) -> tuple[Head, bytes]:
        shard, self._open = self._open, None
        if shard is not None:
            self._written.put(None)
            self._keeper.join()
            shard.close()
        return {}, b""

    def _upsert(self, head: Head, body: bytes) -> int:
        rows = list(wire.unpack_rows(head, body, self._shard.dimension))
        self._shard.upsert(rows)
        return len(rows)

    def _set_visibility(self, head: Head, _body: bytes) -> int:
        self._shard.set_visibility(head["document"], head["visibility"])
        return 1

    def _delete_document(self, head: Head, _body: bytes) -> int:
        self._shard.delete_document(head["document"])
        return 1

    def _delete_points(self, head: Head, _body: bytes) -> int:
        self._shard.delete_points(head["chunks"])
        return 1

    def _keep(self) -> None:
        """Makes what was written survive a power cut, for all the writes together that wait.

        The log is synced from here, which lets the searches go on; the shard's own flush holds the interpreter, so it
        comes once in a while to keep the log, and with it the next start, short.
        """
        shard, unflushed, ungiven = self._shard, 0, 0
        shard.give_back()
        while True:
            try:
                waiting = [self._written.get(timeout=_GIVE_BACK_AFTER_S)]
            except queue.Empty:
                if self._is_touched:
                    self._is_touched = False
                    shard.give_back()
                continue
            while not self._written.empty():
                waiting.append(self._written.get())
            kept = [each for each in waiting if each is not None]
            self._tell_kept(shard, [each.number for each in kept if each.number is not None])
            changes = sum(each.changes for each in kept)
            unflushed, ungiven = unflushed + changes, ungiven + changes
            if unflushed >= _FLUSH_AFTER:
                shard.flush()
                unflushed = 0
            if ungiven >= _GIVE_BACK_AFTER:
                shard.give_back()
                ungiven = 0
            if None in waiting:
                return

    def _tell_kept(self, shard: Shard, ids: list[int]) -> None:
        try:
            shard.sync()
        except OSError as error:
            for number in ids:
                self._send({"id": number, "error": wire.FAILED, "reason": str(error)})
            return
        for number in ids:
            self._send({"id": number})

    def _receive(self) -> tuple[Head, bytes] | None:
        start = self._source.read(wire.FRAME.size)
        if len(start) < wire.FRAME.size:
            return None
        head_length, body_length = wire.FRAME.unpack(start)
        head, body = self._source.read(head_length), self._source.read(body_length)
        return None if len(body) < body_length or len(head) < head_length else (loads(head), body)

    def _send(self, head: Head, body: bytes = b"") -> None:
        frame = wire.pack(head, body)
        with self._speaking:
            self._sink.write(frame)
            self._sink.flush()


if __name__ == "__main__":
    main()
