"""`limits.jsonl`: what each limit group's controller came to believe, line by line, ready to be plotted.

No data: nothing is synced, readers of runs do not look at it, and a disk that will not take it ends only the log.
"""

from __future__ import annotations

import errno
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import orjson

from siuo_async.client.controller import Change
from siuo_async.client.limits import LimitGroup
from siuo_async.engine.private_files import private
from siuo_async.values import Json

MOST_LINES = 5_000
"""Of one session."""
WHOLE_LINES = 2_000
"""So many are written as they come; then a group's lines keep a distance."""
FIRST_GAP_S, LINES_PER_GAP = 1.0, 250
"""The distance, doubled each time so many lines were written with it: with nine groups the last lines come after a day."""


class LimitsLog:
    """Appends what is new.

    Args:
        path: the file; what earlier sessions wrote stays.
        groups: whose changes are written, from now on.
        clock: the controllers'.
        wall: epoch seconds.
    """

    def __init__(
        self,
        path: Path,
        groups: Iterable[LimitGroup],
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._clock, self._wall = clock, wall
        self._groups = {group.name: group for group in groups}
        self._seen: dict[str, Change | None] = {name: _last(group) for name, group in self._groups.items()}
        self._calls = {name: group.controller.calls for name, group in self._groups.items()}
        self._begun: set[str] = set()
        self._kept: dict[str, Change] = {}
        """By group: what was left out last."""
        self._written_at: dict[str, float] = {}
        self._lines = 0
        self._file: int | None = None
        self._over = False

    def write(self, *, last: bool = False) -> str | None:
        """Appends what changed since it was called before.

        Args:
            last: what was left out last is written too.

        Returns: a sentence, once, where the file cannot be written; nothing more is logged then.
        """
        if self._over:
            return None
        found = [(group, change) for group in self._groups.values() for change in self._new(group)]
        lines = b"".join(line for group, change in sorted(found, key=_when) if (line := self._thinned(group.name, change)))
        lines += b"".join(self._kept_back(last))
        if not lines:
            return None
        try:
            self._append(lines)
        except OSError as error:
            self.close()
            self._over = True
            return f"{self._path} cannot be written ({error.strerror}); the run goes on without a log of its limits"
        return None

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _new(self, group: LimitGroup) -> list[Change]:
        """What changed in a group; at first, if nothing did, what holds as its first call is made, so that a plot has a first point."""
        changes = _since(group.controller.changes, self._seen[group.name])
        if changes:
            self._seen[group.name] = changes[-1]
        elif group.name not in self._begun and (group.in_use or group.waiting or group.controller.calls > self._calls[group.name]):
            changes = [_state(group, self._clock())]
        self._begun.update([group.name] if changes else ())
        return changes

    def _thinned(self, name: str, change: Change) -> bytes:
        """A change's line, or nothing where it comes too soon after the last one."""
        if change.at - self._written_at.get(name, -math.inf) < self._gap_s():
            self._kept[name] = change
            return b""
        self._kept.pop(name, None)
        return self._line(name, change)

    def _kept_back(self, last: bool) -> Iterator[bytes]:
        """Lines of changes that came too soon and were the last of their group for a while."""
        now = self._clock()
        for name in list(self._kept):
            if last or now - self._written_at[name] >= self._gap_s():
                yield self._line(name, self._kept.pop(name))

    def _gap_s(self) -> float:
        more = self._lines - WHOLE_LINES
        return 0.0 if more < 0 else FIRST_GAP_S * 2.0 ** (more // LINES_PER_GAP)

    def _line(self, name: str, change: Change) -> bytes:
        if self._lines >= MOST_LINES:
            return b""
        self._lines += 1
        self._written_at[name] = change.at
        at = self._wall() - (self._clock() - change.at)
        return orjson.dumps({"t": round(at, 3), "group": name, **_fields(change)}) + b"\n"

    def _append(self, lines: bytes) -> None:
        """Writes whole lines or nothing.

        Raises:
            OSError: the disk would not take them.
        """
        if self._file is None:
            self._file = private(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
            size = os.fstat(self._file).st_size
            if size and os.pread(self._file, 1, size - 1) != b"\n":  # an earlier session was killed while it wrote
                lines = b"\n" + lines
        size = os.fstat(self._file).st_size
        if os.write(self._file, lines) < len(lines):
            os.ftruncate(self._file, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _fields(change: Change) -> Mapping[str, Json]:
    return {
        "calls_per_min": None if change.calls_per_s is None else round(change.calls_per_s * 60, 3),
        "slots": change.slots,
        "tokens_per_min": None if change.tokens_per_s is None else round(change.tokens_per_s * 60, 1),
        "cooldown_s": round(change.cool_s, 3),
        "why": change.why,
    }


def _state(group: LimitGroup, at: float) -> Change:
    controller = group.controller
    tokens_per_s = min((budget.per_s for budget in controller.budgets.values()), default=None)
    return Change(at, controller.calls_per_s, controller.slots, tokens_per_s, controller.cooling_s, "the session's first call")


def _when(found: tuple[LimitGroup, Change]) -> float:
    return found[1].at


def _last(group: LimitGroup) -> Change | None:
    return group.controller.changes[-1] if group.controller.changes else None


def _since(changes: Sequence[Change], seen: Change | None) -> list[Change]:
    """The changes after `seen`, oldest first. The controller keeps only its latest, so they are not counted but looked for."""
    found: list[Change] = []
    for change in reversed(changes):
        if change is seen:
            break
        found.append(change)
    return found[::-1]
