"""When an endpoint is given up: many different calls in a row that failed in the same way. Pure."""

from __future__ import annotations

from siuo_async.errors import ErrorKind

OPENS_AT = 10
"""Different calls that failed with one kind of error, without a success between them."""


class Breaker:
    """Counts consecutive failed calls of one kind. `declined` and `filtered` are results and never come here."""

    __slots__ = ("_calls", "_kind")

    def __init__(self) -> None:
        self._kind: ErrorKind | None = None
        self._calls: set[str] = set()

    def success(self) -> None:
        """A call gave a result."""
        if self._calls:
            self._calls.clear()

    def failure(self, kind: ErrorKind, call_id: str) -> bool:
        """A call failed for good; True when that is the one too many."""
        if kind is not self._kind:
            self._kind = kind
            self._calls.clear()
        self._calls.add(call_id)
        return len(self._calls) >= OPENS_AT
