"""Who paid for what: journal and server held against each other after every session of the long run."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson

_FAILS_FOR_GOOD = (400, 413, 422)
"""Statuses that name the sample: such a failure stands."""


@dataclass(slots=True)
class Ledger:
    """What journal and server said after each session, kept as little as the questions at the end need."""

    path: Path | None = None
    offset: int = 0
    """Behind the last line that was read."""
    read: Any = field(default_factory=hashlib.blake2b)
    """Over all bytes before `offset`."""
    lines: int = 0
    tries: int = 0
    maybe_billed: int = 0
    asked: dict[str, int] = field(default_factory=dict)
    """Call id with a result -> requests for it by then: there must never be more."""
    failing: set[str] = field(default_factory=set)
    """Calls of which there is only a failure that is asked again."""
    paid: Counter[str] = field(default_factory=Counter)
    """Call id -> whole answers that the server gave, at the last look."""
    requests: int = 0
    lost_at_cuts: int = 0
    """Answers given to sessions that were cut, or whose connections were, before they could write them."""
    excused: int = 0
    """Answers that were given twice since the first was lost on the way, each marked `maybe_billed` in the journal."""
    broken: list[str] = field(default_factory=list)

    def after(self, session: str, stats: Mapping[str, Any], *, cut: bool, most_on_wire: int, to_the_end: bool) -> None:
        """Holds the journal against the server's counters, once a session has ended and the server is quiet.

        Args:
            session: how it is called.
            stats: the server's, with calls.
            cut: calls on the wire may have had no chance to be written.
            most_on_wire: calls at once.
            to_the_end: nothing stopped it, so every try stands in a record.
        """
        allowed: Counter[str] = Counter()
        finished: set[str] = set()
        tries = self.tries
        for record in self._news():
            status = (record.get("error") or {}).get("status")
            maybe = record.get("maybe_billed", 0)
            result = "error" not in record or status in _FAILS_FOR_GOOD
            allowed[record["id"]] += maybe + result
            self.lines += 1
            self.tries += record["attempts"]
            self.maybe_billed += maybe
            if result:
                finished.add(record["id"])
                self.failing.discard(record["id"])
                if record["id"] in self.asked:
                    self.broken.append(f"{session}: call {record['id']} has two results")
                self.asked[record["id"]] = stats["calls"].get(record["id"], 0)
            else:
                self.failing.add(record["id"])
        self._nothing_asked_again(session, stats["calls"])
        self._nothing_paid_for_nothing(session, stats["answered"], allowed, finished, most_on_wire if cut else 0)
        requests = sum(stats["calls"].values())
        if to_the_end and requests - self.requests > self.tries - tries:
            self.broken.append(f"{session}: {requests - self.requests} requests, but {self.tries - tries} tries in the journal")
        self.requests = requests

    def _news(self) -> Iterator[dict[str, Any]]:
        """The records since the last look; each line must be whole and hold its checksum."""
        if self.path is None:
            return
        with self.path.open("rb") as file:
            file.seek(self.offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return  # a torn tail, for the next session to cut
                self.read.update(line)
                self.offset += len(line)
                head, _, told = line.rstrip().rpartition(b',"crc":')
                if told != b"%d}" % crc32(head):
                    self.broken.append(f"the journal's line before byte {self.offset} does not hold its checksum")
                yield orjson.loads(line)

    def _nothing_asked_again(self, session: str, calls: Mapping[str, int]) -> None:
        again = [call for call, count in self.asked.items() if calls.get(call, 0) != count]
        if again:
            self.broken.append(f"{session}: {len(again)} calls that were in the journal were asked again, {again[0]} for one")
            self.asked.update({call: calls.get(call, 0) for call in again})

    def _nothing_paid_for_nothing(
        self, session: str, answered: Mapping[str, int], allowed: Counter[str], finished: set[str], most_lost: int
    ) -> None:
        lost = 0
        for call, count in answered.items():
            new = count - self.paid[call]
            if new <= 0:
                continue
            self.paid[call] = count
            if call not in allowed:
                lost += new
            elif new > allowed[call]:
                self.broken.append(f"{session}: call {call} was answered {new} times, of which its records know {allowed[call]}")
            else:
                self.excused += new - (call in finished)
        self.lost_at_cuts += lost
        if lost > most_lost:
            self.broken.append(f"{session}: {lost} answers were given and not written, where at most {most_lost} may be")

    def nothing_changed(self) -> bool:
        """Whether the journal still begins with all that was read, byte for byte, and ends there."""
        whole = hashlib.blake2b()
        if self.path is None or self.path.stat().st_size != self.offset:
            return False
        with self.path.open("rb") as file:
            while block := file.read(1 << 20):
                whole.update(block)
        return bool(whole.digest() == self.read.digest())

    @property
    def paid_twice(self) -> int:
        """Answers beyond the first of each call."""
        return sum(self.paid.values()) - len(self.paid)
