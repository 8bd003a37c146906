"""A search engine on the simulator's server: made-up results that follow from the query, and the ways in which search goes wrong.

`/search?q=...` answers; `/search/html`, `/fail`, `/slow`, `/empty` and `/huge` misbehave. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from siuo_async.simulator.dice import dice_for
from siuo_async.simulator.texts import is_chinese
from siuo_async.simulator.wire import Json

HUGE_CHARACTERS = 2**20
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Found:
    """One reply of the search engine."""

    status: int
    body: bytes
    content_type: str = _JSON


def results(query: str) -> list[Json]:
    """Two to four results: title, content, url. Equal queries get equal results."""
    dice = dice_for(0, "search", query)
    chinese = is_chinese(query)
    told = []
    for place in range(2 + int(dice.share("count") * 3)):
        number = int(dice.share("number", place) * 1000)
        title = f"{query}：模拟条目{number}" if chinese else f"{query}: simulated entry {number}"
        content = (
            f"这是关于“{query}”的一段模拟资料，编号{number}，不含真实信息。"
            if chinese
            else f"A simulated passage about {query}, number {number}; nothing in it is real."
        )
        told.append({"title": title, "content": content, "url": f"https://example.org/{dice.name('url', place)}"})
    return told


def reply(kind: str, query: str) -> Found:
    """What `/search` (`kind` is `plain`) or `/search/<kind>` says to `query`."""
    match kind:
        case "plain" | "slow" if query:
            return _ok(results(query))
        case "plain" | "slow":
            return Found(400, orjson.dumps({"status": "error", "error": "q is missing"}))
        case "html":
            return Found(200, b"<html><body>Please log in</body></html>", "text/html")
        case "fail":
            return Found(500, orjson.dumps({"status": "error", "error": "the simulated index is down"}))
        case "empty":
            return _ok([])
        case "huge":
            return _ok([{"title": query, "content": "simulated " * (HUGE_CHARACTERS // 10), "url": "https://example.org/huge"}])
        case _:
            return Found(404, orjson.dumps({"status": "error", "error": f"there is no search of the kind {kind}"}))


def _ok(found: list[Json]) -> Found:
    return Found(200, orjson.dumps({"results": found}))
