"""A verdict: what the judge made of one answer, and when it is asked again.

The rules are the same for every benchmark: in `corrected` a reply that was cut or empty by length is asked for again with four times
the cap, an uncut one without a verdict once more as it was, and a judge that declines is never pressed; `released` asks once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Generic, Literal, TypeVar

from siuo_async.benchmarks.base import Ask
from siuo_async.judging import normalise
from siuo_async.values import Answer, Outcome, Prompt, quick_value

V = TypeVar("V")
JUDGE_CAP = 4096
"""Of judges in `corrected`, in tokens; a released cap may cut long reasons off before the verdict."""
UNREAD = -1
"""What SIUO's released scripts make of a text without a verdict."""

_State = Literal["read", "unreadable", "declined", "filtered", "failed", "rule"]
_WITHOUT_TEXT: Mapping[Outcome, _State] = MappingProxyType(
    {Outcome.DECLINED: "declined", Outcome.FILTERED: "filtered", Outcome.FAILED: "failed"}
)


Role = Literal["judge", "stand-in", "panel", "check", "retest"]
"""Of a judge: the run's own, whoever is asked where that one gave no verdict, one of a panel, a second opinion, the same once more."""


@quick_value
class Opinion(Generic[V]):
    """What one of several judges made of one answer."""

    role: Role
    judge: str
    """Its label."""
    value: V | None
    state: _State
    re_asked: bool = False
    text: str = ""


@quick_value
class Verdict(Generic[V]):
    """What the judge made of one answer."""

    value: V | None
    """None for missing; -1 in SIUO's `released`."""
    state: _State = "rule"
    """`rule`: no judge was asked."""
    re_asked: bool = False
    text: str = field(default="", compare=False)
    """The reply that the value was read from."""
    by: Role = field(default="judge", compare=False)
    """Whose value it is."""
    opinions: tuple[Opinion[V], ...] = field(default=(), compare=False)
    """Of all judges that were asked, the one that counts included; empty where there was only that one."""


async def verdict(ask: Ask, prompt: Prompt, stage: str, parse: Callable[[str], V | None]) -> Verdict[V]:
    """A verdict as `corrected` wants it."""
    reply = await ask.verdict(prompt, stage)
    value = _read(reply, parse)
    if value is not None or reply.outcome not in (Outcome.ANSWERED, Outcome.EMPTY):
        return _verdict(reply, value, re_asked=False)
    again = await ask.verdict(prompt, stage, cap_scale=4) if reply.cut else await ask.verdict(prompt, stage, first=1)
    kept = reply if again.outcome is Outcome.FAILED else again  # a re-ask that failed does not undo that the judge replied
    return _verdict(kept, _read(kept, parse), re_asked=True)


async def verdict_as_released(ask: Ask, prompt: Prompt, stage: str, parse: Callable[[str], V | None]) -> Verdict[V]:
    """A verdict as the scripts have it: NFKC, their parser, never asked again."""
    reply = await ask.verdict(prompt, stage)
    if reply.outcome is Outcome.FAILED:
        return _verdict(reply, None, re_asked=False)
    return _verdict(reply, parse(normalise(reply.text)), re_asked=False, unread=UNREAD)


async def verdict_once(ask: Ask, prompt: Prompt, stage: str, parse: Callable[[str], V | None]) -> Verdict[V]:
    """A verdict as the code that USB's judges descend from has it: the reply as it is, never asked again; a refusal is none."""
    reply = await ask.verdict(prompt, stage)
    return _verdict(reply, _read(reply, parse), re_asked=False)


def _read(reply: Answer, parse: Callable[[str], V | None]) -> V | None:
    return parse(reply.text) if reply.outcome is Outcome.ANSWERED else None


def _verdict(reply: Answer, value: V | None, *, re_asked: bool, unread: int | None = None) -> Verdict[V]:
    state = _WITHOUT_TEXT.get(reply.outcome) or ("unreadable" if value in (None, unread) else "read")
    return Verdict(value, state, re_asked, reply.text)
