"""What the browser of samples reads: an index of numbers for filters and the list, and the texts in blocks that are read when needed.

A run of 20,000 samples and three models holds tens of megabytes of answers. Read at once they would keep a reader waiting; so they
stand in blocks of a few hundred kilobytes, and only the index, some bytes for each sample, is read when the page opens. All text
passes `harmless`; the page puts it into text nodes only, and never reads it as markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from siuo_async.analysis.gathered import Gathered, Item, Take
from siuo_async.benchmarks.seen import Seen, SeenAnswer
from siuo_async.report.page.facts import money_of, tokens_of
from siuo_async.report.page.words import stage_words, verdict_tone, verdict_words
from siuo_async.report.text import harmless, one_line
from siuo_async.values import Json, Outcome, Sample

OUTCOMES = tuple(outcome.value for outcome in Outcome)
CUT, FLIPPED, JUDGES, PENDING = 1 << 5, 1 << 6, 1 << 7, 1 << 8
"""After the five outcomes, in a model's bits: an answer cut by the cap; its answers scored apart; its judges at odds; not finished."""
MOST_VERDICTS = 30
"""Kinds of verdicts that can be filtered by: they are bits of a number of JavaScript."""
BLOCK_BYTES = 256 << 10
_SNIPPET = 110


@dataclass(slots=True)
class Index:
    """The samples in numbers, column by column."""

    models: list[str]
    ids: list[str] = field(default_factory=list)
    categories: dict[str, int] = field(default_factory=dict)
    category: list[int] = field(default_factory=list)
    snippets: list[str] = field(default_factory=list)
    apart: list[int] = field(default_factory=list)
    """1 where models disagree, 2 where judges do, 3 where both."""
    bits: list[list[int]] = field(default_factory=list)
    """By sample, then by model."""
    verdicts: list[list[int]] = field(default_factory=list)
    scores: list[list[float | None]] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    """`safety: unsafe` -> its bit."""
    places: list[list[int]] = field(default_factory=list)
    """Block, and number within it."""

    def kind(self, stage: str, words: str) -> int:
        """The bit of a kind of verdict; nothing where there are too many kinds."""
        name = f"{stage_words(stage)}: {words}"
        if name not in self.kinds and len(self.kinds) >= MOST_VERDICTS:
            return 0
        return 1 << self.kinds.setdefault(name, len(self.kinds))

    def as_json(self) -> dict[str, Json]:
        """For the page."""
        return {
            "models": self.models,
            "outcomes": OUTCOMES,
            "ids": self.ids,
            "categories": list(self.categories),
            "category": self.category,
            "snippets": self.snippets,
            "apart": self.apart,
            "bits": self.bits,
            "verdicts": self.verdicts,
            "scores": self.scores,
            "kinds": list(self.kinds),
            "places": self.places,
        }


def in_script(value: Json) -> bytes:
    """JSON that may stand inside a `script` element: nothing in it can end the element or begin a comment."""
    return orjson.dumps(value).replace(b"<", b"\\u003c").replace(b"&", b"\\u0026")


def headline_value(run: Gathered, take: Take) -> float | None:
    """What the sample scores in the first headline metric that is asked of it."""
    for metric in run.summary["headline"]:
        if (score := take.score(metric)) is not None:
            return score.value
    return None


def models_apart(run: Gathered, item: Item) -> bool:
    """Whether two models score differently in it."""
    known = {value for take in item.takes.values() if (value := headline_value(run, take)) is not None}
    return len(known) > 1


def judges_apart(seen: Seen | None) -> bool:
    """Whether two judges read different things in one answer."""
    if seen is None:
        return False
    said = (verdict.opinions for each in seen.answers for verdict in each.verdicts.values() if verdict.opinions)
    return any(len({str(one.value) for one in opinions if one.value is not None}) > 1 for opinions in said)


def flipped(run: Gathered, take: Take) -> bool:
    """Whether the answers to one question are scored apart from each other."""
    for metric in run.summary["headline"]:
        if (score := take.score(metric)) is not None:
            return len({each for each in score.answers if each is not None}) > 1
    return False


def blocks(run: Gathered, index: Index, *, content: bool, most_bytes: int = BLOCK_BYTES) -> Iterator[bytes]:
    """The texts in blocks of JSON arrays; fills `index` on the way.

    Args:
        content: False leaves out whatever was asked, answered and said; the blocks then hold numbers only.
    """
    held: list[bytes] = []
    size = block = 0
    for item in run.items:
        index.places.append([block, len(held)])
        _enter(run, index, item, content=content)
        line = in_script(_entry(run, item, content=content))
        held.append(line)
        size += len(line)
        if size >= most_bytes:
            yield b"[" + b",".join(held) + b"]"
            held, size, block = [], 0, block + 1
    if held:
        yield b"[" + b",".join(held) + b"]"


def _enter(run: Gathered, index: Index, item: Item, *, content: bool) -> None:
    sample = item.sample
    index.ids.append(harmless(sample.id))
    category = one_line(" › ".join(sample.category)) if sample.category else "–"
    index.category.append(index.categories.setdefault(category, len(index.categories)))
    index.snippets.append(one_line(sample.text, _SNIPPET) if content else "")
    takes = list(item.takes.values())
    index.apart.append(models_apart(run, item) + 2 * any(judges_apart(take.seen) for take in takes))
    index.bits.append([_bits(run, take) for take in takes])
    index.verdicts.append([_kinds(index, take) for take in takes])
    index.scores.append([headline_value(run, take) for take in takes])


def _bits(run: Gathered, take: Take) -> int:
    if take.seen is None:
        return PENDING
    bits = FLIPPED * flipped(run, take) | JUDGES * judges_apart(take.seen)
    for each in take.seen.answers:
        bits |= 1 << OUTCOMES.index(each.answer.outcome)
        bits |= CUT * each.answer.cut
    return bits


def _kinds(index: Index, take: Take) -> int:
    found = 0
    for each in take.seen.answers if take.seen else ():
        for stage, verdict in each.verdicts.items():
            found |= index.kind(stage, verdict_words(stage, verdict.value, verdict.state))
    return found


def _entry(run: Gathered, item: Item, *, content: bool) -> dict[str, Json]:
    found: dict[str, Json] = {"t": [_take(run, take, content=content) for take in item.takes.values()]}
    return {**_asked(item.sample), **found} if content else found


def _asked(sample: Sample) -> dict[str, Json]:
    return {
        "q": harmless(sample.text),
        "p": [picture.sha256[:16] for picture in sample.pictures],
        "f": {harmless(name): _shown(value) for name, value in sample.fields.items() if value not in (None, "")},
    }


def _shown(value: Json) -> str:
    return harmless(value) if isinstance(value, str) else harmless(orjson.dumps(value, default=str).decode())


def _take(run: Gathered, take: Take, *, content: bool) -> dict[str, Json]:
    usd = money_of(take, run.plan.prices or {})
    found: dict[str, Json] = {
        "k": [*tokens_of(take.calls, judging=False), *tokens_of(take.calls, judging=True)],
        "c": None if None in usd else sum(each or 0.0 for each in usd),
        "l": round(sum(call.latency_s for call in take.calls if call.stage == "generate"), 3),
    }
    if take.seen is not None:
        found["a"] = [_answer(each, content=content) for each in take.seen.answers]
        if content and take.seen.notes:
            found["n"] = {harmless(name): _shown(value) for name, value in take.seen.notes.items()}
    return found


def _answer(each: SeenAnswer, *, content: bool) -> dict[str, Json]:
    answer = each.answer
    found: dict[str, Json] = {"o": OUTCOMES.index(answer.outcome)}
    if answer.cut:
        found["x"] = 1
    if content and answer.text:
        found["t"] = harmless(answer.text)
    if content and answer.reason:
        found["r"] = harmless(answer.reason)
    if answer.where:
        found["w"] = answer.where
    if each.verdicts:
        found["v"] = [_verdict(stage, verdict, content=content) for stage, verdict in each.verdicts.items()]
    return found


def _verdict(stage: str, verdict: Any, *, content: bool) -> dict[str, Json]:
    found: dict[str, Json] = {
        "s": stage_words(stage),
        "v": verdict_words(stage, verdict.value, verdict.state),
        "g": verdict_tone(stage, verdict.value),
    }
    if verdict.state == "rule":
        found["u"] = 1
    if verdict.re_asked:
        found["re"] = 1
    if verdict.by != "judge":
        found["b"] = verdict.by
    if content and verdict.text:
        found["t"] = harmless(verdict.text)
    if verdict.opinions:
        found["o"] = [_opinion(stage, one, content=content) for one in verdict.opinions]
    return found


def _opinion(stage: str, one: Any, *, content: bool) -> dict[str, Json]:
    found: dict[str, Json] = {
        "j": harmless(one.judge),
        "b": one.role,
        "v": verdict_words(stage, one.value, one.state),
        "g": verdict_tone(stage, one.value),
    }
    return {**found, "t": harmless(one.text)} if content and one.text else found


def pictures_first_apart(run: Gathered, index: Index) -> Sequence[Any]:
    """All pictures, those of samples that somebody disagrees on first."""
    order = sorted(range(len(run.items)), key=lambda place: (not index.apart[place], place))
    return [picture for place in order for picture in run.items[place].sample.pictures]


def picture_blocks(made: Mapping[str, str], most_bytes: int = BLOCK_BYTES) -> Iterator[tuple[bytes, list[str]]]:
    """Thumbnails in blocks of JSON objects, by the beginning of their picture's hash, which stand beside them."""
    held: dict[str, str] = {}
    size = 0
    for sha256, uri in made.items():
        held[sha256[:16]] = uri
        size += len(uri)
        if size >= most_bytes:
            yield in_script(held), list(held)
            held, size = {}, 0
    if held:
        yield in_script(held), list(held)
