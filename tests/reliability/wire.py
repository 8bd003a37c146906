"""Faults of servers and of what they answer: one sample meets them, its neighbours do not.

What each call must become stands in `wire_table`; here the real program meets it over real sockets, in all three dialects at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from siuo_async.errors import ErrorKind
from tests.reliability.faults import Fault, Scene, Seen
from tests.reliability.wire_server import FOR_EVER, Misbehaving, judge, run
from tests.reliability.wire_table import GOOD, ROWS, Row

_TRANSIENT = frozenset({ErrorKind.CONNECTION, ErrorKind.SERVER, ErrorKind.TIMEOUT, ErrorKind.GARBLED})
_STAYS = 3
"""Of the replies that nobody can read, one in three stays for ever; ten at once would rightly stop the endpoint."""


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
    """Each row for one sample of each dialect, among as many that meet nothing."""
    seen = Seen()
    for turn in range(scene.times):
        folder = scene.folder / str(turn)
        with Misbehaving(_plan(rows, times, turn)) as bad:
            count = 2 * len(rows)
            urls = {dialect: (dialect, bad.server.url) for dialect in GOOD}
            ran = run(folder, count, urls, "--concurrency", "12", *words)
            became = judge(seen, ran, bad, count)
            seen.times += bad.inflicted
        told = ", ".join(f"{number} samples {what}" for what, number in sorted(became.items()))
        seen.words = f"{len(rows)} kinds in 3 dialects: {told}; {ran.took_s:.0f} s"
        if most_mb:
            seen.words += f", at most {ran.most_mb} MB of memory"
            seen.expect(0 < ran.most_mb < most_mb, f"{ran.most_mb} MB of memory")
    return seen


def _of(*families: str) -> list[Row]:
    return [row for row in ROWS if row.family in families]


_NEIGHBOURS = "its neighbours' answers are right, its own is right or a failure of the right kind, none is doubled"

FAULTS: Sequence[Fault] = (
    Fault("wire", "connections and bodies cut or reset", _NEIGHBOURS, lambda scene: _meets(scene, _of("cut")), many=5),
    Fault("wire", "replies that are no HTTP", _NEIGHBOURS, lambda scene: _meets(scene, _of("http")), many=5),
    Fault("wire", "replies that are HTTP of a rare kind", "the answer is read", lambda scene: _meets(scene, _of("odd")), many=5),
    Fault("wire", "a 200 that is no answer", _NEIGHBOURS, lambda scene: _meets(scene, _of("json")), many=5),
    Fault("wire", "every 3xx, 4xx and 5xx of one sample", _NEIGHBOURS, lambda scene: _meets(scene, _of("status")), many=5),
    Fault(
        "wire",
        "replies that never end or never begin",
        "given up in time; " + _NEIGHBOURS,
        lambda scene: _meets(scene, _of("slow"), "--timeout", "1", times=1),
        many=5,
    ),
    Fault(
        "wire",
        "2 GB of answer, bombs, heads without end",
        "memory stays small; " + _NEIGHBOURS,
        lambda scene: _meets(scene, _of("flood"), times=1, most_mb=400),
        many=3,
    ),
)
