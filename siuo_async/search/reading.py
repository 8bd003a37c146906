"""Reads what search engines and functions give, and writes it down for a model. Pure.

No two search services agree on a shape, so a reply is read by the names its fields usually have. What cannot be read is an error:
an unknown shape taken for "nothing found" would be measured as a model's lack of knowledge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from siuo_async.errors import ErrorKind
from siuo_async.search.base import NOTHING, Entry, Found, SearchError, clean
from siuo_async.values import Json

LISTS = ("results", "items", "data", "organic", "organic_results", "hits", "documents", "docs", "value", "search", "pages", "entries")
WRAPPERS = (*LISTS, "web", "webPages", "query", "response", "result")
"""Objects that results may be wrapped in."""
TITLES = ("title", "name", "heading")
CONTENTS = ("content", "snippet", "text", "description", "body", "summary", "extract")
_DEEPEST = 3
_LONGEST_QUOTE = 200


def found_in(value: Json, limit_chars: int, *, tidy: Callable[[str], str] = str) -> Found:
    """What a reply holds, as text of at most `limit_chars` characters.

    Args:
        value: text, a list of results, an object with such a list, `{"final_text": ...}`, or `{"status": "error", "error": ...}`.
        limit_chars: bound of the text, in characters.
        tidy: applied to titles and contents of single results, never to text that came as a whole.

    Raises:
        SearchError: the reply tells an error, or is of no known shape.
    """
    if isinstance(value, dict):
        value = _content_of_reply(value)
    if isinstance(value, str):
        return _bounded_text(clean(value), limit_chars)
    if isinstance(value, list | tuple):
        return _bounded_entries([entry for item in value if (entry := _tidied(item, tidy))], len(value), limit_chars)
    raise SearchError(ErrorKind.NOT_FOUND, f"the search gave {_kind_of(value)} instead of text or a list of results")


def entry_of(item: Json) -> Entry | None:
    """One result: an object with a title or a content, or bare text; None where it holds neither."""
    if isinstance(item, str):
        return Entry("", item)
    if not isinstance(item, dict):
        return None
    if isinstance(source := item.get("_source"), dict):
        item = source
    title, content = _first(item, TITLES), _first(item, CONTENTS)
    return Entry(title, content) if title or content else None


def written(entry: Entry) -> str:
    """One result as a model sees it."""
    return f"标题：{entry.title}\n内容：{entry.content}" if entry.title else f"内容：{entry.content}"


def entries_found(entries: Sequence[Entry], limit_chars: int) -> Found:
    """Results, best first, as one text; cut between results where that keeps at least half of the room used."""
    blocks = [written(entry) for entry in entries]
    text = "\n\n".join(blocks)
    if len(text) <= limit_chars:
        return Found(text, len(blocks))
    end = -2  # as if a blank line stood before the first result
    for block in blocks:
        if end + 2 + len(block) > limit_chars:
            break
        end += 2 + len(block)
    kept = text[:end] if end >= limit_chars / 2 else _cut(text, limit_chars)
    return Found(kept, len(blocks), cut=True)


def _content_of_reply(reply: dict[str, Json]) -> Json:
    error = reply.get("error")
    if reply.get("status") == "error":
        raise SearchError(ErrorKind.SERVER, f"the search failed: {_told(error)}")
    if "final_text" in reply:
        text = reply["final_text"]
        if isinstance(text, str):
            return text
        raise SearchError(ErrorKind.NOT_FOUND, f"'final_text' of the search is {_kind_of(text)} instead of text")
    lists = list(_lists_in(reply, _DEEPEST))
    if any(lists):
        return next(found for found in lists if found)
    if error:
        raise SearchError(ErrorKind.SERVER, f"the search failed: {_told(error)}")
    if lists:
        return []
    names = ", ".join(sorted(map(str, reply))[:8]) or "nothing"
    known = ", ".join(LISTS[:4])
    raise SearchError(
        ErrorKind.NOT_FOUND, f"the search's reply has no list of results ({known}, ...) but {clean(names)[:_LONGEST_QUOTE]}"
    )


def _lists_in(reply: dict[str, Json], depth: int) -> Iterator[list[Json]]:
    for name in LISTS:
        if isinstance(found := reply.get(name), list):
            yield found
    for name in WRAPPERS if depth else ():
        if isinstance(inner := reply.get(name), dict):
            yield from _lists_in(inner, depth - 1)


def _tidied(item: Json, tidy: Callable[[str], str]) -> Entry | None:
    entry = entry_of(item)
    if entry is None:
        return None
    title, content = " ".join(clean(tidy(entry.title)).split()), clean(tidy(entry.content))
    return Entry(title, content) if title or content else None


def _bounded_entries(entries: list[Entry], listed: int, limit_chars: int) -> Found:
    if listed and not entries:
        known = ", ".join(CONTENTS)
        raise SearchError(ErrorKind.NOT_FOUND, f"none of the search's {listed} results has a title or a content ({known})")
    return entries_found(entries, limit_chars)


def _bounded_text(text: str, limit_chars: int) -> Found:
    if not text:
        return NOTHING
    return Found(text, 1) if len(text) <= limit_chars else Found(_cut(text, limit_chars), 1, cut=True)


def _cut(text: str, limit_chars: int) -> str:
    """At the end of a line where that keeps at least half of the room used, else in mid-line."""
    end = text.rfind("\n", limit_chars // 2, limit_chars + 1)
    return text[: end if end > 0 else limit_chars].rstrip()


def _first(item: dict[str, Json], names: Sequence[str]) -> str:
    for name in names:
        value = item.get(name)
        if isinstance(value, list):
            value = " ".join(part for part in value if isinstance(part, str))
        if isinstance(value, str) and value.strip():
            return value
    return ""


def _told(error: Json) -> str:
    if isinstance(error, dict):
        error = error.get("message") or error
    text = " ".join(clean(str(error)).split()) if error else "it does not say why"
    return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "..."


def _kind_of(value: Json) -> str:
    return "nothing" if value is None else f"a value of type {type(value).__name__}"
