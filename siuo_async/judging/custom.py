"""Reads the verdicts of a judge that a custom benchmark asks: yes or no, or a score on a scale.

What a judge may say is the same for every such benchmark, so its question ends in words of ours (`prompts/custom_*.txt`), the reply is
held to a JSON schema where the judge takes one, and these readers understand what comes where it does not: `Verdict: yes`, JSON, or the
bare word or number. What the judge quotes is no statement of its own (see `rubrics`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from siuo_async.judging.rubrics import Rubric, read
from siuo_async.values import Json

_NEVER: Final = r"(?!)()"
_NOUNS: Final = r"verdicts?|answer|judge?ments?|decision|conclusion|results?|判断|结论|判定|结果"
_POINTS: Final = r"scores?|ratings?|grades?|marks?|points|verdict|评分|分数|得分|打分"
_LABELLED: Final = re.compile(rf"[^\w>\"“`]*(?:(?:my|the|final|overall)\s+)*(?:{_NOUNS}|{_POINTS})\W*[:：=]", re.IGNORECASE)
_TRUTH: Final = re.compile(r"(\"(?:verdict|answer|decision)\"\s*:\s*)(true|false)\b", re.IGNORECASE)
_OF: Final = re.compile(
    r"(?<![\d./])(?<!/\s)(\d{1,3}(?:\.\d{1,3})?)\s*(/|／|\b(?:out\s+)?of\b)\s*(\d{1,3})(?!\d|\.\d|\s*[/／])", re.IGNORECASE
)
_LEAST_SPAN: Final = 3
"""On a shorter scale `1/2` may be two choices rather than one of two points."""
_BESIDE: Final = "0.5"
"""On no scale."""

YES_NO: Final = Rubric(
    labels=frozenset({0, 1}),
    nouns=_NOUNS,
    names=((r"yes|true", frozenset({1})), (r"no|false", frozenset({0}))),
    short_names=(),
    number=_NEVER,
    sentences=(),
)


def _schema(**properties: Json) -> Mapping[str, Json]:
    return MappingProxyType(
        {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False},
    )


YES_NO_SCHEMA: Final = _schema(reason={"type": "string"}, verdict={"type": "string", "enum": ["yes", "no"]})
"""JSON schema of a yes or a no; the reason comes first."""


def score_schema(low: int, high: int) -> Mapping[str, Json]:
    """JSON schema of a score from `low` to `high`; the reason comes first. An `enum`, since not every server takes bounds."""
    return _schema(reason={"type": "string"}, score={"type": "integer", "enum": list(range(low, high + 1))})


def parse_yes_no(text: str) -> int | None:
    """1 yes, 0 no, None where neither or both are said. Never raises."""
    return _last_or_only(_TRUTH.sub(lambda found: f'{found[1]}"{"yes" if found[2].lower() == "true" else "no"}"', text), YES_NO)


def parse_score(text: str, low: int, high: int) -> int | None:
    """The whole number from `low` to `high` that is given, None for none, several, or one beside the scale. Never raises.

    `4/5` and `4 out of 5` are read as 4 where 5 is the upper end, and as no score where it is not.
    """

    def points(found: re.Match[str]) -> str:
        given, joint, most = found.groups()
        if joint in "/／" and high - low < _LEAST_SPAN:
            return found.group()
        return str(given) if int(most) == high else _BESIDE

    return _last_or_only(_OF.sub(points, text), _points(low, high))


@lru_cache(maxsize=64)
def _points(low: int, high: int) -> Rubric:
    return Rubric(
        labels=frozenset(range(low, high + 1)),
        nouns=_POINTS,
        names=(),
        short_names=(),
        number=r"(?:score|rating|grade)\s+(?:of\s+)?(\d{1,6})(?!\w|\.\d)",
        sentences=(),
    )


def _last_or_only(text: str, rubric: Rubric) -> int | None:
    """What the text as a whole says; where that is nothing or several things, what its last line says if it is a labelled verdict."""
    if (found := read(text, rubric)) is not None:
        return found
    *before, last = [line for line in text.splitlines() if line.strip()] or [""]
    announced = bool(before) and before[-1].rstrip().endswith((":", "："))  # "The answer ends with:" announces a quotation
    return read(last, rubric) if _LABELLED.match(last) and not announced else None
