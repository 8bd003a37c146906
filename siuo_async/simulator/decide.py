"""From a persona, a request and the dice to what is answered. Pure.

So a test can recompute every decision of a server: `decide(PERSONAS[name], asked, dice_for(seed, name, f"id:{call_id}"))` with
the prompt, the cap, and `logprobs` and `schema` as asked. What the answer is worth is then read off it: the marker
(`truth.whole_truth_of`), or the letter itself (`choices.meant` for odd forms).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from statistics import NormalDist
from typing import TypeVar

from siuo_async.simulator import choices, judges, logprobs, replies, texts
from siuo_async.simulator.dice import Dice
from siuo_async.simulator.personas import JUDGE_NEEDS, Mischief, Persona
from siuo_async.simulator.wire import Answer, Asked, Fault, Problem, Signal

T = TypeVar("T")

_LONG_WITHOUT_CAP = 1_000
_MOST_LETTERS = 8
"""Of an English token, on the average of a sentence."""
_NORMAL = NormalDist()


def _drawn(share: float, options: Iterable[tuple[T, float]]) -> T | None:
    """The option in whose part of [0, 1) `share` falls; None in the rest."""
    for option, width in options:
        if share < width:
            return option
        share -= width
    return None


def mischief(persona: Persona, dice: Dice, attempt: int) -> Mischief | None:
    """What goes wrong on the way; `attempt` counts from 1, and only the first is hit."""
    return _drawn(dice.share("mischief"), persona.mischief) if attempt == 1 else None


def delay_s(persona: Persona, median_s: float, sigma: float, dice: Dice) -> float:
    """Time to a reply: lognormal around `median_s`, the same for every try of a call, plus the persona's own."""
    if not median_s or not sigma:
        return median_s + persona.delay_s
    # The share can be 0, where the normal quantile is not defined.
    quantile = min(max(dice.share("latency"), 1e-6), 1 - 1e-6)
    return median_s * math.exp(sigma * _NORMAL.inv_cdf(quantile)) + persona.delay_s


def slowdown(in_flight: int, knee: int) -> float:
    """How many times longer a reply takes under load: nothing up to `knee` requests in flight (0: ever), then in proportion."""
    return max(1.0, in_flight / knee) if knee else 1.0


def outage(dice: Dice) -> Fault:
    """One of the ways in which a server says that it is unwell."""
    return Fault(dice.pick("outage", 0, (Problem.SERVER, Problem.OVERLOADED)))


def decide(persona: Persona, asked: Asked, dice: Dice) -> tuple[Answer, ...] | Fault:
    """The answers to a call, or why there are none."""
    fault = _fault(persona, asked, dice)
    if fault:
        return fault
    count = asked.n - 1 if persona.fewer and asked.n > 1 else asked.n
    return tuple(_answer(persona, asked, dice, index) for index in range(count))


def _fault(persona: Persona, asked: Asked, dice: Dice) -> Fault | None:
    if persona.always:
        return Fault(persona.always)
    for name in persona.rejects:
        if name in asked.named:
            return Fault(Problem.UNSUPPORTED, param=name)
    if persona.max_n is not None and asked.n > persona.max_n:
        return Fault(Problem.UNSUPPORTED, param="n")
    if dice.share("bad request") < persona.bad_request:
        return Fault(Problem.INVALID, "The request could not be processed.")
    if dice.share("prompt filter") < persona.prompt_filtered:
        return Fault(Problem.PROMPT_FILTERED)
    return None


def _answer(persona: Persona, asked: Asked, dice: Dice, index: int) -> Answer:
    answer = replace(_answer_text(persona, asked, dice, index), counting=asked.counting)
    if asked.logprobs is None or not answer.text:
        return answer
    letters = [option.letter for option in choices.options_shown(asked.last_user)]
    return replace(answer, tokens=logprobs.tokens_of(answer.text, letters, asked.logprobs, dice, index))


def _answer_text(persona: Persona, asked: Asked, dice: Dice, index: int) -> Answer:
    ending = _drawn(
        dice.share("ending", index),
        ((Signal.DECLINED, persona.declined), (Signal.FILTERED, persona.filtered), (Signal.STOP, persona.empty)),
    )
    if ending is Signal.DECLINED and persona.declined_text:
        text = texts.refusal(dice, index, chinese=texts.is_chinese(asked.last_user))
        return Answer(ending, text if asked.cap is None else asked.counting.cut(text, asked.cap))
    if ending is not None:
        return Answer(ending)
    if not persona.judge:
        return _within_cap(persona, asked, replies.reply(persona, asked, dice, index))
    prompt = "\n".join(asked.texts)
    if asked.cap is not None and asked.cap < JUDGE_NEEDS and dice.share("cut", index) < persona.cut:
        opening = judges.cut_judgement(persona, prompt, dice, index, asked.schema)
        return Answer(Signal.LENGTH, asked.counting.cut(opening, asked.cap))
    return _within_cap(persona, asked, judges.judgement(persona, prompt, dice, index, asked.schema))


def _within_cap(persona: Persona, asked: Asked, text: str) -> Answer:
    """Think first, then write as far as the cap allows."""
    cap = asked.cap
    if persona.long and cap is None:
        cap = _LONG_WITHOUT_CAP
    if cap is None:
        return Answer(Signal.STOP, text, persona.thinking_tokens)
    room = cap - persona.thinking_tokens
    if room <= 0:
        return Answer(Signal.LENGTH, reasoning=cap)
    if persona.long:
        return Answer(Signal.LENGTH, asked.counting.cut(texts.endless(text, room * _MOST_LETTERS), room), persona.thinking_tokens)
    if asked.counting.tokens(text) > room:
        return Answer(Signal.LENGTH, asked.counting.cut(text, room), persona.thinking_tokens)
    return Answer(Signal.STOP, text, persona.thinking_tokens)
