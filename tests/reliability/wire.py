"""Faults of servers and of what they answer: one sample meets them, its neighbours do not.

What each call must become stands in `wire_table`; here the real program meets it over real sockets, in all three dialects at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from siuo_async.errors import ErrorKind
from tests.reliability.faults import Fault, Scene, Seen
from tests.reliability.wire_connect import nobody_there
from tests.reliability.wire_limits import hints
from tests.reliability.wire_server import FOR_EVER, Misbehaving, judge, run
from tests.reliability.wire_table import GOOD, ROWS, Row, status_rows

_TRANSIENT = frozenset({ErrorKind.CONNECTION, ErrorKind.SERVER, ErrorKind.TIMEOUT, ErrorKind.GARBLED})
_STAYS = 6
"""Of the replies that nobody can read, one in six stays for ever; ten at once would rightly stop the endpoint."""


def _times(row: Row, place: int, turn: int) -> float:
    """How many tries of its sample a row meets."""
    if _TRANSIENT.isdisjoint(row.becomes):
        return FOR_EVER
    if ErrorKind.GARBLED in row.becomes:
        return FOR_EVER if len(row.becomes) == 1 and place % _STAYS == turn % _STAYS else 1
    return 2  # for ever would be six tries, whose waits take half a minute


def _plan(rows: Sequence[Row], times: float | None, turn: int) -> dict[int, tuple[Row, float]]:
    """Every second sample meets a row."""
    return {2 * place: (row, times or _times(row, place, turn)) for place, row in enumerate(rows)}


def _meets(scene: Scene, rows: Sequence[Row], *words: str, times: float | None = None, most_mb: int = 0) -> Seen:
    """Each row for one sample of each dialect (where time is short: of one), among as many that meet nothing."""
    seen = Seen()
    for turn in range(scene.times):
        with Misbehaving(_plan(rows, times, turn), shared=scene.times == 1) as bad:
            count = 2 * len(rows)
            urls = {dialect: (dialect, bad.server.url) for dialect in GOOD}
            ran = run(scene.folder / str(turn), count, urls, "--concurrency", "12", *words)
            became = judge(seen, ran, bad, count)
            seen.times += bad.inflicted
        told = ", ".join(f"{number} samples {what}" for what, number in sorted(became.items()))
        seen.words = f"{len(rows)} kinds: {told}; {ran.took_s:.0f} s"
        if most_mb:
            seen.words += f", at most {ran.most_mb} MB of memory"
            seen.expect(0 < ran.most_mb < most_mb, f"{ran.most_mb} MB of memory")
    return seen


def _statuses(scene: Scene) -> Seen:
    """Every status, where the redirects lead to a server that would take the key."""
    with Misbehaving({}) as thief:
        seen = _meets(scene, status_rows(thief.server.url))
        seen.expect(thief.server.connections == 0, f"{thief.server.connections} connections to where the redirects led")
    seen.words += "; no connection to where redirects led"
    return seen


def _of(*families: str) -> list[Row]:
    return [row for row in ROWS if row.family in families]


_NEIGHBOURS = "its neighbours' answers are right, its own is right or a failure of the right kind"

FAULTS: Sequence[Fault] = (
    Fault(
        "wire",
        "no connection: refused, no such name, no TLS, stalled, certificate expired, of another host, of an unknown authority",
        "six tries, unbilled; where a certificate is bad the model stops at once; the one beside it is served; no key goes out",
        nobody_there,
        many=3,
    ),
    Fault(
        "wire",
        "replies cut, reset, no HTTP, HTTP of a rare kind, or a 200 that is no answer",
        _NEIGHBOURS,
        lambda scene: _meets(scene, _of("cut", "http", "odd", "json")),
        many=_STAYS,
    ),
    Fault("wire", "every 3xx, 4xx and 5xx; redirects to another host", f"no key goes there; {_NEIGHBOURS}", _statuses, many=5),
    Fault(
        "wire",
        "replies that never end or never begin",
        f"given up in time; {_NEIGHBOURS}",
        lambda scene: _meets(scene, _of("slow"), "--timeout", "1", times=1),
        many=5,
    ),
    Fault(
        "wire",
        "2 GB of answer, bombs, heads without end",
        f"memory stays small; {_NEIGHBOURS}",
        lambda scene: _meets(scene, _of("flood"), times=1, most_mb=400),
        many=3,
    ),
    Fault(
        "wire",
        "429 with every form of hint and none, clocks five hours off",
        "all are answered, no wait of hours, one request more for each rejection",
        hints,
        many=3,
    ),
)
