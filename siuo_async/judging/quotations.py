r"""Takes out of a judge's reply what it copied from the answer, so that a verdict written by the model under test is never read.

Marks of quotation cannot be relied on: judges copy text bare, behind `>`, or across lines. What was copied can be told because the
answer is known: two lines of it that follow each other in the reply, or a long one, are no judge's own words. What judges write by
themselves must stay whatever the answer holds, since a model could otherwise unmake the verdicts that it foresees: a short line alone,
the end of a sentence, a bare bracket or the first line of a block of code is no copy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

_LONG = 64
"""Bytes of a line that nobody foresees; a shorter one may be a verdict and its label."""
_LEAST = 12
"""Characters of two lines of which one stands among other words."""
_MARGIN = " \t\r>*`\"'“”‘’«»"
_LEFT_OUT = "…"
_SAYS_SOMETHING = re.compile(r"[^\W_]")
_CODE = re.compile(r"\s*>?\s*(?:```|~~~)")
_OPENING = ":：\"“‘「『《«'`*>(（"
_CLOSED = re.compile(r"[ \t]*(?:[\"”’」』》»'`*)）]|[.,;:!?。，；：！？](?:\s|\Z)|\Z)")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a reply that says something: what it says without marks around it, and where."""

    said: str
    at: int
    """Where `said` begins."""
    start: int
    end: int
    """Of the whole line, its line feed included."""


def own_words(reply: str, answer: str) -> str:
    """`reply` without its copies of lines of `answer`; where one stood among other words is an ellipsis."""
    wanted = [said for said, _ in _lines(answer)]
    long = {said for said in wanted if len(said.encode("utf-8", "replace")) >= _LONG and said in reply}
    if not (long or _may_copy(reply, wanted)) or _is_an_object(reply):
        return reply
    lines = [_Line(said, at, start, end) for said, (at, start, end) in _lines(reply)]
    spans = sorted((*_pairs(lines, wanted), *(span for each in long for span in _places(reply, lines, each))))
    return _without(reply, spans)


def _lines(text: str) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """What the lines of `text` say, with where it begins, and where the whole line does and ends."""
    start = 0
    for line in text.split("\n"):
        end = start + len(line) + 1
        said = line.strip(_MARGIN)
        if said and _SAYS_SOMETHING.search(said) and not _CODE.match(line):
            yield said, (start + line.find(said), start, min(end, len(text)))
        start = end


def _may_copy(reply: str, wanted: list[str]) -> bool:
    """Whether a line of `reply` behind its first one begins like a line of the answer; a quick look, for every verdict."""
    if len(wanted) < 2 or "\n" not in reply:
        return False
    seconds = tuple(wanted[1:])
    return any(each.strip(_MARGIN).startswith(seconds) for each in reply.split("\n")[1:])


def _is_an_object(reply: str) -> bool:
    """Whether the reply is JSON as a whole: what is quoted in it is a part of a text there, never a field or a line."""
    text = reply.strip()
    if text.startswith("```"):  # a block of code
        text = text.partition("\n")[2].removesuffix("```").strip()
    try:
        return text.startswith("{") and isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _pairs(lines: list[_Line], wanted: list[str]) -> Iterator[tuple[int, int]]:
    """Where two lines stand that follow each other in the answer too; the first may begin, and the second end, with other words."""
    before: dict[str, dict[str, None]] = {}
    for first, second in pairwise(wanted):
        before.setdefault(second, {})[first] = None  # in order, each once
    seconds = tuple(before)
    for one, two in pairwise(lines):
        if not two.said.startswith(seconds):
            continue
        for second in (two.said,) if two.said in before else [each for each in seconds if _begins(two.said, each)]:
            firsts = before[second]
            exact = second == two.said
            first = one.said if one.said in firsts else _ended_by(one.said, firsts)
            if first and ((exact and first == one.said) or len(first) + len(second) >= _LEAST):
                start = one.start if first == one.said else one.at + len(one.said) - len(first)
                yield start, two.end if exact else two.at + len(second)
                break


def _begins(line: str, copied: str) -> bool:
    """Whether a copy ends within `line`, where a quotation can end."""
    return line.startswith(copied) and (len(copied) >= _LONG or _CLOSED.match(line, len(copied)) is not None)


def _ended_by(line: str, copied: Iterable[str]) -> str:
    """The longest of the texts that begins within `line` where a quotation can begin, and ends it; empty for none."""
    ending = [each for each in copied if line.endswith(each)]
    for each in sorted(ending, key=len, reverse=True):
        if len(each) >= _LONG or line[: -len(each)].rstrip(" \t")[-1:] in tuple(_OPENING):
            return each
    return ""


def _places(reply: str, lines: list[_Line], copied: str) -> Iterator[tuple[int, int]]:
    """Where a line of the answer stands: the whole line where it stands alone there."""
    alone = {line.at: line for line in lines if line.said == copied}
    at = reply.find(copied)
    while at >= 0:
        line = alone.get(at)
        yield (line.start, line.end) if line else (at, at + len(copied))
        at = reply.find(copied, at + len(copied))


def _without(reply: str, spans: list[tuple[int, int]]) -> str:
    """`reply` without these stretches, which may overlap."""
    kept, done, at = list[str](), 0, 0
    while at < len(spans):
        start, end = spans[at]
        while at < len(spans) and spans[at][0] <= end:
            end = max(end, spans[at][1])
            at += 1
        begins, ends = start == 0 or reply[start - 1] == "\n", end == len(reply) or reply[end - 1] == "\n"
        kept.append(reply[done:start])
        if not (begins and ends):
            kept.append(_LEFT_OUT + ("\n" if reply[end - 1] == "\n" else ""))
        done = end
    return "".join((*kept, reply[done:]))
