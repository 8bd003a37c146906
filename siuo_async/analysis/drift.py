"""Whether a judge still says what it said: old answers judged again, set against their old verdicts.

A judge behind a name may change without a word, and a difference between two runs is then the judge's. The answers are a fixed draw,
each model's and each old verdict's in their share, so that asking twice asks for the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from siuo_async.analysis.comparison import Estimate
from siuo_async.analysis.gathered import Gathered, Take
from siuo_async.benchmarks.judged import Verdict
from siuo_async.benchmarks.seen import Seen
from siuo_async.stats.intervals import wilson
from siuo_async.stats.paired import mcnemar

STEADY = 0.95
"""A judge at temperature 0 that is asked the same twice agrees with itself about this often or more; below it something changed."""
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Drawn:
    """One old answer that is judged again."""

    label: str
    """The model's."""
    sample: str
    number: int
    """Of the answer, from 0."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Old and new verdicts of one stage."""

    stage: str
    n: int
    """Answers with a readable verdict then and now."""
    agree: int
    percent: Estimate
    """Share that is the same, with Wilson's interval."""


@dataclass(frozen=True, slots=True)
class Shift:
    """In which direction the answers' scores moved."""

    metric: str
    n: int
    up: int
    """Answers that count now and did not."""
    down: int
    p: float
    """McNemar's mid-p: whether up and down differ by more than chance."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What judging again came to."""

    judge: str
    asked: int
    """Old answers that were to be judged again."""
    stages: tuple[Stage, ...]
    shifts: tuple[Shift, ...]
    lost: int
    """Answers that had a readable verdict and now have none."""
    drifted: bool
    checked_at: str
    """The day of the last new verdict."""
    sent: int
    """Calls of this invocation; the others stood in the journal."""
    sentence: str


def draw(run: Gathered, count: int, seed: int = 0) -> tuple[Drawn, ...]:
    """`count` answers with a readable verdict of the judge, or all there are.

    They are sorted by model and old verdicts and, among equals, by hash; every k-th is taken. So each model and each verdict has its
    share, and the agreement is that of all answers.
    """
    found = []
    for item in run.items:
        for label, take in item.takes.items():
            for number, verdicts in enumerate(_verdicts(take)):
                if verdicts:
                    key = f"{seed}\0{label}\0{item.sample.id}\0{number}".encode()
                    strata = (label, sorted((stage, str(said.value)) for stage, said in verdicts.items()))
                    found.append((strata, blake2b(key, digest_size=8).digest(), Drawn(label, item.sample.id, number)))
    found.sort(key=lambda each: each[:2])
    if count >= len(found):
        return tuple(drawn for _, _, drawn in found)
    step = len(found) / count
    start = int.from_bytes(blake2b(f"{seed}".encode(), digest_size=8).digest(), "big") / 2**64
    return tuple(found[int((place + start) * step)][2] for place in range(count))


def _verdicts(take: Take) -> list[Mapping[str, Verdict[object]]]:
    """Of each answer, what the judge said that could be read."""
    return [_read(answer.verdicts) for answer in take.seen.answers] if take.seen else []


def _read(verdicts: Mapping[str, Verdict[object]]) -> dict[str, Verdict[object]]:
    return {stage: said for stage, said in verdicts.items() if said.state == "read" and said.by == "judge"}


def measured(
    run: Gathered, drawn: Sequence[Drawn], again: Mapping[tuple[str, str], Seen], *, judge: str, checked_at: str, sent: int
) -> Drift:
    """Old against new.

    Args:
        again: by model and sample, what became of it with new verdicts; scores of answers that were not drawn are not looked at.
    """
    old = {item.sample.id: item.takes for item in run.items}
    pairs: dict[str, list[bool]] = {}
    scores: dict[str, list[tuple[int, int]]] = {}
    lost = 0
    for each in drawn:
        before, after = old[each.sample][each.label].seen, again[each.label, each.sample]
        assert before is not None  # only answers with verdicts are drawn
        then, now = _read(before.answers[each.number].verdicts), _read(after.answers[each.number].verdicts)
        lost += not then.keys() <= now.keys()
        for stage in then.keys() & now.keys():
            pairs.setdefault(stage, []).append(then[stage].value == now[stage].value)
        for metric in run.plan.benchmark.headline:
            known = _score(before, metric, each.number), _score(after, metric, each.number)
            if known[0] is not None and known[1] is not None:
                scores.setdefault(metric, []).append((known[0], known[1]))
    stages = tuple(_stage(stage, same) for stage, same in sorted(pairs.items()))
    shifts = tuple(_shift(metric, each) for metric, each in scores.items())
    moved = [shift for shift in shifts if shift.p < LEVEL]
    unsteady = [stage for stage in stages if stage.percent.high is not None and stage.percent.high < 100 * STEADY]
    found = bool(moved or unsteady)
    first = run.plan.judge
    whose = "its old verdicts" if first is None or judge == f"{first.provider}/{first.config.name}" else f"those of {first.label}"
    told = _sentence(run, judge, whose, len(drawn), stages, shifts, lost, drifted=found)
    return Drift(judge, len(drawn), stages, shifts, lost, found, checked_at, sent, told)


def _score(seen: Seen, metric: str, number: int) -> int | None:
    """1 or 0 for one answer; None where it has no score, or one on a scale."""
    score = seen.scores.get(metric)
    if score is None:
        return None
    if score.answers:
        return score.answers[number] if number < len(score.answers) else None
    return int(score.value) if len(seen.answers) == 1 and score.value in (0, 1) else None


def _stage(stage: str, same: Sequence[bool]) -> Stage:
    agree, n = sum(same), len(same)
    low, high = wilson(agree, n)
    return Stage(stage, n, agree, Estimate(100 * agree / n, 100 * low, 100 * high))


def _shift(metric: str, pairs: Iterable[tuple[int, int]]) -> Shift:
    known = list(pairs)
    up, down = known.count((0, 1)), known.count((1, 0))
    return Shift(metric, len(known), up, down, mcnemar(up, down))


def _sentence(
    run: Gathered, judge: str, whose: str, asked: int, stages: Sequence[Stage], shifts: Sequence[Shift], lost: int, *, drifted: bool
) -> str:
    if not stages:
        return f"judge drift: {judge} gave no readable verdict on any of {asked} old answers, so nothing can be said of drift"
    agreeing = "; ".join(
        f"{each.stage.removeprefix('judge.')} {each.percent.value:.1f}% ({each.percent.low:.1f}–{each.percent.high:.1f}) of {each.n}"
        for each in stages
    )
    names = run.plan.benchmark.metrics
    moves = "; ".join(
        f"{names.get(each.metric, each.metric)}: {each.up} answers gained, {each.down} lost (p = {each.p:.3f})" for each in shifts
    )
    verdict = "has drifted" if drifted else "was not seen to drift"
    gone = f"; {lost} answers have no readable verdict any more" if lost else ""
    caution = "" if drifted else "; a small drift would not show in so few"
    return f"judge drift: {judge} {verdict}: it agrees with {whose} on {agreeing} answers{'; ' + moves if moves else ''}{gone}{caution}"
